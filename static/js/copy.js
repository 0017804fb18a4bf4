// Copy buttons: <button data-copy="text">. The button shows and says that it worked.
const SHOWN_MS = 1600;

export function announce(words) {
  const region = document.querySelector("[data-announce]");
  if (region) region.textContent = words;
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    announce("Copying is blocked by the browser. Select the text and copy it yourself.");
    return;
  }
  announce("Copied");
  button.classList.add("is-done");
  setTimeout(() => button.classList.remove("is-done"), SHOWN_MS);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});
