// Sign with a wallet and post the signature by an ordinary form: partials/wallet.html.
//
// <form data-wallet="ID of a JSON script element"> with hidden inputs "address" and
// "signature", [data-wallets] (a list), [data-status], [data-wallet-none] (hidden).
// JSON: {chain?, expected?, typed_data? | prepare_url?, unharmed, verb}. prepare_url
// gets POST address=… and answers {typed_data | message, fields?}; fields become hidden
// inputs. `unharmed` is said when nothing happened ("Nothing was charged.").
import { connect, discover, explain, signText, signTyped, useChain } from "./wallet_provider.js";

function fill(form, name, value) {
  let input = form.elements.namedItem(name);
  if (!input) {
    input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    form.append(input);
  }
  input.value = value;
}

async function prepare(form, url, address) {
  const body = new URLSearchParams({ address });
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      Accept: "application/json",
      "X-CSRFToken": form.elements.namedItem("csrfmiddlewaretoken")?.value ?? "",
    },
    body,
  });
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(json.detail ?? `The server answered ${answer.status}.`);
  return json;
}

async function sign(form, config, provider, say) {
  say("Your wallet now asks to share your address with this site.");
  const address = await connect(provider, config.expected);
  if (config.chain) await useChain(provider, config.chain, say);
  say("Preparing what you sign…");
  const order = config.prepare_url ? await prepare(form, config.prepare_url, address) : config;
  say(`Your wallet now asks you to sign. ${config.verb}`);
  const signature = order.typed_data
    ? await signTyped(provider, address, order.typed_data)
    : await signText(provider, address, order.message);
  for (const [name, value] of Object.entries(order.fields ?? {})) fill(form, name, value);
  fill(form, "address", address);
  fill(form, "signature", signature);
}

async function run(form, config, provider, say) {
  if (form.dataset.busy) return; // one click, one request
  form.dataset.busy = "yes";
  try {
    await sign(form, config, provider, say);
    say("Signed. Sending…");
    form.submit();
  } catch (error) {
    say(`${explain(error)} ${config.unharmed}`);
    delete form.dataset.busy;
  }
}

function walletButton(wallet, onClick) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button--quiet";
  if (wallet.icon.startsWith("data:image/")) {
    const icon = document.createElement("img");
    icon.src = wallet.icon;
    icon.alt = "";
    icon.className = "wallets__icon";
    button.append(icon);
  }
  button.append(wallet.name);
  button.addEventListener("click", onClick);
  item.append(button);
  return item;
}

for (const form of document.querySelectorAll("form[data-wallet]")) {
  const config = JSON.parse(document.getElementById(form.dataset.wallet).textContent);
  const list = form.querySelector("[data-wallets]");
  const status = form.querySelector("[data-status]");
  const say = (words) => { status.textContent = words; };
  discover(
    (wallet) => list.append(walletButton(wallet, () => run(form, config, wallet.provider, say))),
    () => { form.querySelector("[data-wallet-none]").hidden = false; },
  );
}
