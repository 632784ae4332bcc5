// Let site.css show tables with many columns on narrow screens.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("article table.docutils")) {
    const names = [...table.querySelectorAll("thead th")].map((th) => th.innerText);
    if (names.length < 4) continue;
    table.classList.add("many-columns");
    for (const row of table.querySelectorAll("tbody tr"))
      [...row.cells].forEach((cell, column) => {
        if (names[column] && cell.innerText) cell.dataset.column = names[column];
      });
  }
});
