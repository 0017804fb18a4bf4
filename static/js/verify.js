// Verify: the digest is computed here and only the digest is asked about; the file is
// sent when the person presses the form's button, as without script.
//
// <form data-verify data-lookup-url="/verify/lookup" method="post" enctype=…> with a
// file input, [data-status] (role=status) and, anywhere on the page,
// [data-verify-result], which takes the HTML the server answers.
import { describe, sayDigest, sha256Hex, watchFiles } from "./files.js";

function say(form, words) {
  const status = form.querySelector("[data-status]");
  if (status) status.textContent = words;
}

async function lookUp(form, digest) {
  const url = new URL(form.dataset.lookupUrl, location.href);
  url.searchParams.set("sha256", digest);
  const answer = await fetch(url, { headers: { "HX-Request": "true", Accept: "text/html" } });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}. Try again, or send the file.`);
  return answer.text();
}

function show(html) {
  const result = document.querySelector("[data-verify-result]");
  result.innerHTML = html; // our own server's escaped template
  globalThis.htmx?.process(result);
  result.querySelector("[data-focus]")?.focus();
}

async function check(form, files) {
  const latest = (form.verifyRun = Symbol("one run")); // a newer file wins
  describe(form, files);
  sayDigest(form, "");
  say(form, "Reading the file here, in your browser…");
  try {
    const digest = await sha256Hex(files[0]);
    if (form.verifyRun !== latest) return;
    sayDigest(form, digest);
    say(form, "Looking for this digest in the records…");
    const html = await lookUp(form, digest);
    if (form.verifyRun !== latest) return;
    show(html);
    say(form, "Done. The file did not leave your device.");
  } catch (error) {
    if (form.verifyRun === latest) say(form, error.message);
  }
}

for (const form of document.querySelectorAll("form[data-verify]")) {
  watchFiles(form, (files) => check(form, files));
}
