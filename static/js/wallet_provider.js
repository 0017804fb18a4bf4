// Wallets of this browser: EIP-6963 discovery, EIP-1193 requests, network switching.
const LEGACY_WAIT_MS = 600; // after this, a wallet that only sets window.ethereum
const DECLINED = 4001;
const UNKNOWN_CHAIN = 4902;
const PENDING = -32002;

// Calls onWallet({name, icon, provider}) for each wallet, and onNone() if there is none.
export function discover(onWallet, onNone) {
  const seen = new Set();
  window.addEventListener("eip6963:announceProvider", (event) => {
    const { info, provider } = event.detail ?? {};
    if (!info?.uuid || !provider?.request || seen.has(info.uuid)) return;
    seen.add(info.uuid);
    onWallet({ name: String(info.name), icon: String(info.icon ?? ""), provider });
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  setTimeout(() => {
    if (seen.size) return;
    if (!window.ethereum?.request) return onNone();
    seen.add("legacy");
    onWallet({ name: "Browser wallet", icon: "", provider: window.ethereum });
  }, LEGACY_WAIT_MS);
}

// Turns a wallet's error code into words; "" when the person declined.
export function explain(error) {
  if (error?.code === DECLINED) return "You declined in your wallet.";
  if (error?.code === PENDING) {
    return "Your wallet is still waiting for an earlier answer. Open it and look for the request.";
  }
  return error?.message || "The wallet gave no reason.";
}

function isUnknownChain(error) {
  return (error?.code ?? 0) === UNKNOWN_CHAIN || error?.data?.originalError?.code === UNKNOWN_CHAIN;
}

async function onChain(provider, chainId) {
  return BigInt(await provider.request({ method: "eth_chainId" })) === BigInt(chainId);
}

// Brings the wallet to the network `chain` (EIP-3085 parameters), adding it if unknown.
export async function useChain(provider, chain, say) {
  if (await onChain(provider, chain.chainId)) return;
  say(`Your wallet now asks to switch to ${chain.chainName}.`);
  try {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId: chain.chainId }] });
  } catch (error) {
    if (!isUnknownChain(error)) throw error;
    say(`Your wallet does not know ${chain.chainName} yet and now asks to add it.`);
    await provider.request({ method: "wallet_addEthereumChain", params: [chain] });
  }
  if (!(await onChain(provider, chain.chainId))) {
    throw new Error(`The wallet is still on another network. Switch it to ${chain.chainName}.`);
  }
}

// Asks for an account; with `expected`, only that one will do.
export async function connect(provider, expected) {
  const accounts = await provider.request({ method: "eth_requestAccounts" });
  if (!accounts?.length) throw new Error("The wallet shared no account.");
  if (!expected) return accounts[0];
  const match = accounts.find((account) => account.toLowerCase() === expected.toLowerCase());
  if (!match) throw new Error(`Choose the account ${expected} in your wallet, then try again.`);
  return match;
}

export function signTyped(provider, account, typed) {
  return provider.request({ method: "eth_signTypedData_v4", params: [account, JSON.stringify(typed)] });
}

export function signText(provider, account, text) {
  const bytes = new TextEncoder().encode(text);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return provider.request({ method: "personal_sign", params: [`0x${hex}`, account] });
}
