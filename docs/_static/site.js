// Prepare tables and inline code for site.css.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("article table.docutils")) {
    // Long names in code may break after these characters.
    for (const code of table.querySelectorAll("code .pre"))
      code.innerHTML = code.innerHTML.replace(/[._,=/]+(?=[\w{[])/g, "$&<wbr>");
    const names = [...table.querySelectorAll("thead th")].map((th) => th.innerText);
    if (names.length > 4) table.classList.add("many-columns");
    if (names.length < 3) continue;
    table.classList.add("stacked");
    for (const row of table.querySelectorAll("tbody tr"))
      [...row.cells].forEach((cell, column) => {
        if (names[column]) cell.dataset.column = names[column];
        if (!cell.innerText.trim()) cell.classList.add("empty");
      });
  }
  // Options such as --output do not break after a hyphen.
  for (const code of document.querySelectorAll("article code"))
    if (code.innerText.length < 24) code.classList.add("short");
});
