// The event editor: tabs, rows, live preview, and a warning before unsaved changes are lost. Without this file every
// tab stands below the other, and the form's own buttons add, move and check.
"use strict";

(() => {
  const editor = document.querySelector("[data-editor]");
  if (!editor) return;
  const form = editor.closest("form");
  const all = (selector, root = editor) => [...root.querySelectorAll(selector)];

  // Tabs
  const tabs = all("[data-tabs] [data-key]");
  const panels = all("[data-panel]");
  const show = (key, { focus = false } = {}) => {
    if (!tabs.some((tab) => tab.dataset.key === key)) return;
    for (const tab of tabs) {
      const isActive = tab.dataset.key === key;
      tab.setAttribute("aria-selected", String(isActive));
      tab.tabIndex = isActive ? 0 : -1;
      if (isActive && focus) tab.focus();
    }
    for (const panel of panels) panel.hidden = panel.id !== `tab-${key}`;
    // The answer to a save keeps the part of the address behind #, and so opens at the same tab.
    form.removeAttribute("x-bind:action");
    form.action = `${location.pathname}${location.search}#${key}`;
  };
  editor.classList.add("editor--tabs");
  editor.querySelector("[data-tabs]").setAttribute("role", "tablist");
  for (const tab of tabs) {
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", `tab-${tab.dataset.key}`);
    tab.addEventListener("click", (event) => { event.preventDefault(); show(tab.dataset.key); });
    tab.addEventListener("keydown", (event) => {
      const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
      const at = tabs.indexOf(tab);
      const to = event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1
        : event.key in steps ? (at + steps[event.key] + tabs.length) % tabs.length : null;
      if (to === null) return;
      event.preventDefault();
      show(tabs[to].dataset.key, { focus: true });
    });
  }
  for (const panel of panels) panel.setAttribute("role", "tabpanel");
  const marked = () => tabs.find((tab) => !tab.querySelector("[data-mark]").hidden);
  const asked = tabs.some((tab) => tab.dataset.key === location.hash.slice(1)) ? location.hash.slice(1) : "";
  const hasErrors = editor.hasAttribute("data-unsaved") && !editor.dataset.tab && marked();
  show(editor.dataset.tab || (hasErrors ? marked().dataset.key : asked) || tabs[0].dataset.key);

  addEventListener("hashchange", () => show(location.hash.slice(1)));

  // Unsaved changes
  let isChanged = editor.hasAttribute("data-unsaved");
  const change = () => {
    isChanged = true;
    editor.dispatchEvent(new Event("refresh"));
  };
  const counts = (field) => field.name && !field.matches("[data-quiet], #id_example");
  form.addEventListener("input", (event) => { if (counts(event.target)) isChanged = true; });
  form.addEventListener("change", (event) => { if (counts(event.target)) isChanged = true; });
  form.addEventListener("submit", () => { isChanged = false; });
  addEventListener("beforeunload", (event) => { if (isChanged) event.preventDefault(); });

  // Rows of properties and thresholds
  const total = (list) => form.querySelector(`[name="${list.dataset.rows}-TOTAL_FORMS"]`);
  const number = (list) => {
    [...list.children].forEach((row, place) => {
      const field = row.querySelector('[name$="-place"]');
      if (field) field.value = place;
    });
  };
  const listOf = (name) => editor.querySelector(`[data-rows="${name}"]`);
  const add = (name) => {
    const list = listOf(name);
    const index = total(list).value;
    const holder = document.createElement("template");
    holder.innerHTML = editor.querySelector(`[data-row-template="${name}"]`).innerHTML.replaceAll("__prefix__", index);
    const row = holder.content.firstElementChild;
    list.append(row);
    total(list).value = Number(index) + 1;
    number(list);
    const metric = row.querySelector('[name$="-metric"]');
    if (metric) metric.setAttribute("list", "metric-names");
    row.querySelector("input:not([type=hidden])").focus();
  };
  const move = (button) => {
    const row = button.closest("[data-row]");
    const list = row.parentElement;
    const other = button.dataset.move === "up" ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (button.dataset.move === "up") other.before(row); else other.after(row);
    number(list);
    button.focus();
    change();
  };
  for (const metric of all('[name$="-metric"]')) metric.setAttribute("list", "metric-names");
  editor.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.move) { event.preventDefault(); move(button); }
    if (button?.name === "_add_property") { event.preventDefault(); add("properties"); }
    if (button?.name === "_add_threshold") { event.preventDefault(); add("thresholds"); }
  });

  // Conditions: there is always an empty row to type in.
  const conditions = editor.querySelector("[data-conditions]");
  conditions.addEventListener("input", () => {
    const last = conditions.querySelector("[data-condition]:last-of-type");
    const field = last.querySelector("input");
    if (!field.value.trim()) return;
    const next = last.cloneNode(true);
    const place = all("[data-condition]", conditions).length;
    for (const error of next.querySelectorAll(".field__error")) error.remove();
    const empty = next.querySelector("input");
    empty.value = "";
    empty.id = `id_sampling_conditions_${place}`;
    empty.removeAttribute("aria-invalid");
    field.placeholder = "";
    const label = next.querySelector("label");
    label.htmlFor = empty.id;
    label.textContent = `Condition ${place + 1}`;
    last.after(next);
  });

  // The example: one that nobody has touched follows the properties.
  const example = document.getElementById("id_example");
  const generated = editor.querySelector("[data-generated]");
  const startOver = editor.querySelector("[data-new-example]");
  const noteExample = () => { if (startOver) startOver.hidden = example.value === generated.value; };
  example.addEventListener("input", noteExample);
  startOver?.addEventListener("click", () => {
    example.value = generated.value;
    noteExample();
    example.focus();
    editor.dispatchEvent(new Event("refresh"));
  });
  noteExample();

  // The answer of the studio: marks at tabs, messages beside fields.
  const place = (problem) => {
    const field = document.getElementById(problem.dataset.target);
    if (!field || field === document.activeElement && !field.value) return;
    const message = document.createElement("p");
    message.className = "field__error";
    message.dataset.live = "";
    message.textContent = problem.dataset.message;
    const column = field.matches(".condition__text") && /\(column (\d+)\)/.exec(problem.dataset.message);
    if (column) {
      const pointer = document.createElement("span");
      pointer.className = "condition__pointer";
      pointer.setAttribute("aria-hidden", "true");
      pointer.textContent = `${" ".repeat(column[1] - 1)}^`;
      message.prepend(pointer);
    }
    (field.closest(".cell, .field, [data-condition], fieldset") || field.parentElement).append(message);
    field.setAttribute("aria-invalid", "true");
  };
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    // A page to sign in again is no preview.
    if (event.detail.target?.id === "event-preview" && !event.detail.serverResponse.includes("data-event-preview")) {
      event.detail.shouldSwap = false;
    }
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "event-preview") return;
    const state = event.detail.target.querySelector("[data-state]");
    const marks = JSON.parse(state.dataset.marks);
    for (const tab of tabs) {
      const mark = tab.querySelector("[data-mark]");
      mark.hidden = !marks[tab.dataset.key];
      mark.firstElementChild.textContent = marks[tab.dataset.key];
    }
    if (example.value === generated.value) example.value = state.dataset.generatedNow;
    generated.value = state.dataset.generatedNow;
    noteExample();
    for (const message of all(".editor__main .field__error")) message.remove();
    for (const field of all(".editor__main [aria-invalid]")) field.removeAttribute("aria-invalid");
    for (const problem of all("[data-problem]")) place(problem);
  });

  // From a finding to its field
  editor.addEventListener("click", (event) => {
    const link = event.target.closest("[data-to]");
    if (!link) return;
    event.preventDefault();
    show(link.dataset.to, { focus: !link.dataset.field });
    const field = link.dataset.field && document.getElementById(link.dataset.field);
    if (field) {
      field.closest("details")?.setAttribute("open", "");
      field.focus();
    }
  });
})();
