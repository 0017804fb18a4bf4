// Show the sum of percentages as they are typed; the server checks it again.
//
// <form data-sum> with inputs [data-percent], fixed parts [data-fixed] (parts per
// million) and [data-total].
const PPM_PER_PERCENT = 10_000;

function partsOf(text) {
  const match = /^\s*(\d+)(?:\.(\d{1,4}))?\s*%?\s*$/.exec(text);
  return match ? Number(match[1]) * PPM_PER_PERCENT + Number((match[2] ?? "").padEnd(4, "0")) : 0;
}

function percentWords(parts) {
  return `${(parts / PPM_PER_PERCENT).toFixed(4).replace(/\.?0+$/, "")} %`;
}

for (const form of document.querySelectorAll("form[data-sum]")) {
  const show = () => {
    const fixed = Array.from(form.querySelectorAll("[data-fixed]"), (one) => Number(one.dataset.fixed));
    const typed = Array.from(form.querySelectorAll("[data-percent]"), (one) => partsOf(one.value));
    const sum = [...fixed, ...typed].reduce((all, one) => all + one, 0);
    const rest = 100 * PPM_PER_PERCENT - sum;
    const words = rest > 0 ? `, ${percentWords(rest)} left to give` : `, ${percentWords(-rest)} too much`;
    form.querySelector("[data-total]").textContent = percentWords(sum) + (rest ? words : "");
  };
  form.addEventListener("input", show);
  show();
}
