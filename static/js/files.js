// Choosing a file: by the input, by a drop anywhere on the page, or by paste; then
// saying its name, size and SHA-256. The file stays in the browser.
//
// A form takes part with one <input type="file"> and, where wanted, elements inside it:
// [data-file-words], [data-file-digest], <img data-file-picture hidden>.
const HASH_LIMIT_BYTES = 1024 ** 3; // WebCrypto needs the whole file in memory
const UNITS = ["bytes", "KB", "MB", "GB", "TB"];

export function sizeWords(bytes) {
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit && size < 10 ? size.toFixed(1) : Math.round(size)} ${UNITS[unit]}`;
}

export async function sha256Hex(file) {
  if (!globalThis.crypto?.subtle) {
    throw new Error("This browser computes digests on secure (https) pages only.");
  }
  if (file.size > HASH_LIMIT_BYTES) {
    throw new Error(`Files over ${sizeWords(HASH_LIMIT_BYTES)} are too large to read here.`);
  }
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function describe(form, files) {
  const words = form.querySelector("[data-file-words]");
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  const name = files.length === 1 ? files[0].name : `${files.length} files`;
  if (words) words.textContent = `${name}, ${sizeWords(bytes)}`;
  const picture = form.querySelector("[data-file-picture]");
  if (!picture) return;
  if (picture.src) URL.revokeObjectURL(picture.src);
  picture.hidden = !files[0].type.startsWith("image/");
  if (!picture.hidden) picture.src = URL.createObjectURL(files[0]);
}

export function sayDigest(form, text) {
  const output = form.querySelector("[data-file-digest]");
  if (output) output.textContent = text;
}

function put(input, list) {
  const transfer = new DataTransfer();
  for (const file of input.multiple ? list : [list[0]]) transfer.items.add(file);
  input.files = transfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

function carriesFiles(event) {
  return Array.from(event.dataTransfer?.types ?? []).includes("Files");
}

// Calls onFiles(array) whenever the form gets files in any of the three ways.
export function watchFiles(form, onFiles) {
  const input = form.querySelector('input[type="file"]');
  if (!input) return;
  input.addEventListener("change", () => {
    if (input.files.length) onFiles(Array.from(input.files));
  });
  const whilePresent = (handler) => (event) => form.isConnected && handler(event);
  const mark = (on) => document.body.classList.toggle("is-dropping", on);
  document.addEventListener("dragover", whilePresent((event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    mark(true);
  }));
  document.addEventListener("dragleave", whilePresent((event) => {
    if (!event.relatedTarget) mark(false);
  }));
  document.addEventListener("drop", whilePresent((event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    mark(false);
    if (event.dataTransfer.files.length) put(input, event.dataTransfer.files);
  }));
  document.addEventListener("paste", whilePresent((event) => {
    if (event.clipboardData?.files.length) put(input, event.clipboardData.files);
  }));
  if (input.files.length) onFiles(Array.from(input.files)); // kept by the browser on reload
}
