// The live view: asks each second what is new, and draws it on top. Without this file the page refreshes itself.
"use strict";

(() => {
  const live = document.querySelector("[data-live]");
  if (!live) return;
  const [list, empty, away, state, pause] = ["lines", "empty", "away", "state", "pause"]
    .map((name) => live.querySelector(`[data-${name}]`));
  // Lines on the page; what is older has been seen.
  const MOST = 500;
  const PAUSE_MS = { live: 1000, away: 3000, broken: 5000 };
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

  let cursor = live.dataset.cursor;
  let newest = list.firstElementChild?.dataset.received ?? new Date().toISOString();
  let isPaused = false;
  let waiting = [];
  let skipped = 0;

  const localise = (root) => {
    for (const time of root.querySelectorAll("time[data-clock]")) time.textContent = clock.format(new Date(time.dateTime));
  };
  const say = (text, tone) => {
    state.textContent = text;
    state.dataset.tone = tone;
  };
  const isShown = (line) => line.dataset.event && list.querySelector(`[data-event="${CSS.escape(line.dataset.event)}"]`)
    && !line.querySelector(".chip--violet");

  // Newest first: what came last is put on top last.
  const draw = (lines) => {
    for (const line of [...lines].reverse()) {
      if (isShown(line)) continue;
      line.classList.add("live__line--new");
      list.prepend(line);
    }
    while (list.children.length > MOST) list.lastElementChild.remove();
    empty.hidden = list.children.length > 0;
  };
  // How far events got that were on their way when they were drawn.
  const pending = () => [...list.querySelectorAll("[data-pending]")].slice(0, 100).map((line) => line.dataset.event).join(",");
  const settle = (news) => {
    for (const [id, { step, detail, isSettled }] of Object.entries(news)) {
      const line = list.querySelector(`[data-event="${CSS.escape(id)}"][data-pending]`);
      if (!line) continue;
      line.querySelector("[data-delivery-step]").innerHTML = step;
      line.querySelector("[data-delivery-detail]").innerHTML = detail;
      if (isSettled) line.removeAttribute("data-pending");
    }
  };
  const take = (pieces) => {
    const holder = document.createElement("template");
    holder.innerHTML = pieces.join("");
    const lines = [...holder.content.querySelectorAll(".live__line")];
    localise(holder.content);
    if (lines.length) newest = lines[0].dataset.received;
    if (!isPaused) return draw(lines);
    waiting = [...lines, ...waiting].slice(0, MOST);
  };
  const show = (isLive) => {
    away.hidden = isLive;
    if (isPaused) say(`Paused, ${waiting.length === MOST ? `${MOST} or more` : waiting.length} waiting`, "paused");
    else if (isLive) say(skipped ? `Live, ${skipped} too fast to be shown` : "Live", "live");
    else say("Not live", "away");
  };

  let wasLive = true;
  const look = async () => {
    let next = PAUSE_MS.live;
    try {
      const query = new URLSearchParams({ after: cursor, since: newest, pending: pending() });
      const answer = await fetch(`${live.dataset.address}&${query}`, { headers: { Accept: "application/json" } });
      if (answer.redirected || answer.status === 403 || answer.status === 404) {
        say("You are signed out, or may not see this any more. Reload the page.", "away");
        return;
      }
      const found = await answer.json();
      cursor = found.cursor;
      wasLive = found.isLive;
      skipped = found.skipped;
      take(found.lines);
      settle(found.deliveries);
      show(wasLive);
      if (!wasLive) next = PAUSE_MS.away;
    } catch {
      say("The studio does not answer; trying again", "away");
      next = PAUSE_MS.broken;
    }
    setTimeout(look, next);
  };

  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Resume" : "Pause";
    if (!isPaused) {
      draw(waiting);
      waiting = [];
    }
    show(wasLive);
  });
  for (const field of live.querySelectorAll("[data-filters] select")) field.addEventListener("change", () => field.form.submit());

  localise(list);
  look();
})();
