// Upload with progress. Without script the same form posts as usual.
//
// <form data-upload method="post" enctype="multipart/form-data"> with a file input and
// the partial progress.html: <progress data-upload-progress hidden>, [data-status],
// <button data-upload-cancel hidden>.
//
// The request carries X-Requested-With. The server redirects, answers JSON
// {"location": "/…"}, or renders the page again (4xx) with errors, which replace <main>.
import { describe, sayDigest, sha256Hex, sizeWords, watchFiles } from "./files.js";

const part = (form, name) => form.querySelector(`[data-${name}]`);

function say(form, words) {
  const status = part(form, "status");
  if (status) status.textContent = words;
}

async function choose(form, files) {
  describe(form, files);
  sayDigest(form, "");
  if (files.length !== 1) return;
  try {
    sayDigest(form, await sha256Hex(files[0]));
  } catch (error) {
    sayDigest(form, error.message);
  }
}

function busy(form, on) {
  for (const button of form.querySelectorAll("button[type=submit], button:not([type])")) {
    button.disabled = on;
  }
  const progress = part(form, "upload-progress");
  const cancel = part(form, "upload-cancel");
  if (progress) progress.hidden = !on;
  if (cancel) cancel.hidden = !on;
}

function report(form, event) {
  const progress = part(form, "upload-progress");
  if (!event.lengthComputable) return;
  if (progress) {
    progress.max = event.total;
    progress.value = event.loaded;
  }
  const sent = `${sizeWords(event.loaded)} of ${sizeWords(event.total)} sent`;
  say(form, event.loaded < event.total ? sent : "All sent. The server is reading the file…");
}

function replaceMain(form, request) {
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const fresh = page.querySelector("main");
  const old = document.querySelector("main");
  if (!fresh || !old) {
    const reason = request.status === 413 ? "The file is too large." : `The server answered ${request.status}.`;
    say(form, `${reason} Nothing was saved.`);
    return;
  }
  old.replaceWith(document.adoptNode(fresh));
  start(fresh);
  (fresh.querySelector("[data-errors]") ?? fresh).focus();
}

function finish(form, request) {
  busy(form, false);
  const type = request.getResponseHeader("Content-Type") ?? "";
  if (request.status < 300 && type.startsWith("application/json")) {
    location.assign(JSON.parse(request.responseText).location);
  } else if (request.status < 300 && request.responseURL !== form.action) {
    location.assign(request.responseURL);
  } else {
    replaceMain(form, request);
  }
}

function send(form) {
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", (event) => report(form, event));
  request.addEventListener("load", () => finish(form, request));
  request.addEventListener("error", () => {
    busy(form, false);
    say(form, "The connection was lost. Nothing was saved; press the button to try again.");
  });
  request.addEventListener("abort", () => {
    busy(form, false);
    say(form, "Stopped. Nothing was saved.");
  });
  part(form, "upload-cancel")?.addEventListener("click", () => request.abort(), { once: true });
  request.open("POST", form.action);
  request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
  request.send(new FormData(form));
  busy(form, true);
  say(form, "Sending…");
}

function start(root) {
  for (const form of root.querySelectorAll("form[data-upload]")) {
    watchFiles(form, (files) => choose(form, files));
    form.addEventListener("submit", (event) => {
      if (!form.querySelector('input[type="file"]')?.files.length) return;
      event.preventDefault();
      send(form);
    });
  }
}

start(document);
