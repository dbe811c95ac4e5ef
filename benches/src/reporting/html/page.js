"use strict";
(() => {
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));

  // Tables sort within their parts, so that published systems stay apart from what was measured.
  const value = (cell) => {
    if (cell === undefined) return null;
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    const text = cell.textContent.trim();
    return text === "" || text === "–" || cell.classList.contains("absent") ? null : text;
  };
  const compare = (left, right, sign) => {
    // What has no figure stays last in either direction.
    if (left === null || right === null) return (left === null) - (right === null);
    if (typeof left === "number" && typeof right === "number") return sign * (left - right);
    return sign * String(left).localeCompare(String(right), "en", { numeric: true });
  };
  const sort = (heading) => {
    const table = heading.closest("table");
    const column = heading.cellIndex;
    const ascending = heading.getAttribute("aria-sort") !== "ascending";
    all("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    for (const body of table.tBodies) {
      const rows = all("tr:not(.section)", body);
      rows.sort((left, right) => compare(value(left.cells[column]), value(right.cells[column]), ascending ? 1 : -1));
      rows.forEach((row) => body.append(row));
    }
  };
  all("thead th").forEach((heading) => {
    heading.addEventListener("click", () => sort(heading));
    heading.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        sort(heading);
      }
    });
  });

  // Filters.
  const apply = () => {
    const off = (kind) => new Set(all(`input[data-filter="${kind}"]:not(:checked)`).map((input) => input.value));
    const [suites, ways] = [off("suite"), off("way")];
    all("[data-suite]").forEach((section) => { section.hidden = suites.has(section.dataset.suite); });
    all("[data-way]").forEach((cell) => { cell.hidden = ways.has(cell.dataset.way); });
  };
  all("input[data-filter]").forEach((input) => input.addEventListener("change", apply));
  all("input[data-filter]").forEach((input) => {
    // A double click shows this one alone, another one all.
    input.closest("label").addEventListener("dblclick", () => {
      const peers = all(`input[data-filter="${input.dataset.filter}"]`);
      const alone = peers.every((peer) => peer.checked === (peer === input));
      peers.forEach((peer) => { peer.checked = alone || peer === input; });
      apply();
    });
  });

  // Figures of bars and points.
  const tip = document.getElementById("tip");
  const hide = () => { tip.hidden = true; };
  document.addEventListener("pointermove", (event) => {
    const hit = event.target instanceof Element ? event.target.closest("[data-tip]") : null;
    if (hit === null) return hide();
    tip.textContent = hit.dataset.tip;
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, window.innerWidth - width - 4))}px`;
    tip.style.top = `${event.clientY + 18 + height > window.innerHeight ? event.clientY - height - 10 : event.clientY + 18}px`;
  });
  document.addEventListener("scroll", hide, { passive: true });
  // The browser's own hints would stand beside ours.
  all("svg title").forEach((title) => title.remove());

  apply();
  document.documentElement.dataset.ready = "yes";
})();
