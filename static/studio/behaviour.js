// Behaviour of the studio's own parts. Every page works without it; nothing here writes to the server.
"use strict";

(() => {
  // Instants: the exact time on hover, in the reader's own zone.
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
  const localise = (root) => {
    for (const element of root.querySelectorAll("time[datetime][title]")) {
      const instant = new Date(element.dateTime);
      if (!Number.isNaN(instant.getTime())) element.title = exact.format(instant);
    }
  };

  // <button data-copy="id of the element whose text is copied">
  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    const word = button.textContent;
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      button.textContent = "Copied";
    } catch {
      // Without permission to write the clipboard: mark the text, so that one key press copies it.
      getSelection().selectAllChildren(source);
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { button.textContent = word; }, 2000);
  };

  // <input data-filter="id of a table">: rows show whose data-search (or text) holds every word; data-filter-count says how many.
  const filter = (input) => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const table = document.getElementById(input.dataset.filter);
    let shown = 0;
    for (const row of table.querySelectorAll("[data-search]")) {
      const text = row.dataset.search.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    const count = document.querySelector(`[data-filter-count="${input.dataset.filter}"]`);
    if (count) count.textContent = words.length ? `${shown} shown` : "";
  };

  // <form data-guard>: leaving with unsaved changes asks first; its data-changes element says how many there are.
  let changed = false;
  const isChanged = (field) => field.matches("select")
    ? [...field.options].some((option) => option.selected !== option.defaultSelected)
    : field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
  const guard = (form) => {
    const fields = [...form.elements].filter((field) => field.name && field.matches("input, select, textarea") && isChanged(field));
    changed = fields.length > 0;
    const said = form.querySelector("[data-changes]");
    const count = fields.filter((field) => field.closest("table, .grid")).length;
    if (said) said.textContent = count ? `${count} unsaved change${count === 1 ? "" : "s"}` : "";
  };
  addEventListener("input", (event) => {
    if (event.target.matches("[data-filter]")) filter(event.target);
    if (event.target.form?.matches("[data-guard]")) guard(event.target.form);
  });
  addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });

  addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  addEventListener("keydown", (event) => {
    // Enter in a filter must not submit the form around it.
    if (event.key === "Enter" && event.target.matches("[data-filter]")) event.preventDefault();
  });

  addEventListener("DOMContentLoaded", () => localise(document));
  addEventListener("htmx:load", (event) => localise(event.target));
})();
