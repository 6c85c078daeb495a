"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const tip = document.getElementById("tip");
  const digits = (value, most) => value.toLocaleString("en", {maximumFractionDigits: most});
  const number = value => digits(value, value < 10 ? 2 : value < 100 ? 1 : 0);
  const span = ms => {
    if (ms < 1) return digits(ms * 1000, 0) + " µs";
    if (ms < 1000) return digits(ms, ms < 10 ? 2 : 0) + " ms";
    const s = ms / 1000;
    if (s < 60) return digits(s, s < 10 ? 2 : 1) + " s";
    if (s < 3600) return Math.floor(s / 60) + " min " + Math.round(s % 60) + " s";
    return Math.floor(s / 3600) + " h " + Math.round(s % 3600 / 60) + " min";
  };

  // What each kind of chart has to say of a place: how many places there are, where one is (in shares), and its words.
  const overTime = say => () => {
    const t = data.over_time;
    return {
      count: t.running.length,
      at: share => Math.floor(share * t.running.length),
      place: i => (i + .5) / t.running.length,
      say: i => span(i * t.width_ms) + " after the begin\n" + say(t, i),
    };
  };
  const kinds = {
    running: overTime((t, i) => number(t.running[i]) + " tasks running, " + number(t.slots[i]) + " slots"),
    throughput: overTime((t, i) => number(t.recorded_per_s[i]) + " results a second" +
      (t.failed[i] ? "\n" + number(t.failed[i]) + " failed" : "")),
    latency: box => {
      const edges = data.latency.edges_ms, tasks = data.latency.tasks[box.dataset.phase];
      const all = tasks.reduce((sum, each) => sum + each, 0);
      return {
        count: tasks.length,
        at: share => Math.floor(share * tasks.length),
        place: i => (i + .5) / tasks.length,
        say: i => {
          const no_longer = tasks.slice(0, i + 1).reduce((sum, each) => sum + each, 0);
          return span(edges[i]) + " to " + span(edges[i + 1]) + "\n" + digits(tasks[i], 0) + " tasks (" +
            digits(100 * tasks[i] / all, 1) + "%)\n" + digits(100 * no_longer / all, 1) + "% took no longer";
        },
      };
    },
  };

  const show = (text, x, y) => {
    tip.textContent = text;
    tip.hidden = false;
    const width = tip.offsetWidth, height = tip.offsetHeight;
    const room = document.documentElement.clientWidth - width - 8;
    tip.style.left = scrollX + Math.max(8, Math.min(x + 14, room)) + "px";
    tip.style.top = scrollY + (y - height - 14 < 8 ? y + 18 : y - height - 14) + "px";
  };
  const hide = () => { tip.hidden = true; };
  const moves = {ArrowRight: 1, ArrowLeft: -1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity};
  const moved = (event, at, count) => {
    if (!(event.key in moves)) return null;
    event.preventDefault();
    return Math.max(0, Math.min(count - 1, at + moves[event.key]));
  };

  for (const box of document.querySelectorAll("[data-chart]")) {
    if (!(box.dataset.chart in kinds)) continue;
    const chart = kinds[box.dataset.chart](box);
    const cursor = box.appendChild(Object.assign(document.createElement("div"), {className: "cursor", hidden: true}));
    let at = -1;
    const tell = (i, y) => {
      at = Math.max(0, Math.min(chart.count - 1, i));
      const here = box.getBoundingClientRect();
      cursor.hidden = false;
      cursor.style.left = 100 * chart.place(at) + "%";
      show(chart.say(at), here.left + here.width * chart.place(at), y ?? here.top + 8);
    };
    const leave = () => { cursor.hidden = true; hide(); };
    box.addEventListener("pointermove", event => {
      const here = box.getBoundingClientRect();
      tell(chart.at((event.clientX - here.left) / here.width), event.clientY);
    });
    box.addEventListener("pointerleave", leave);
    box.addEventListener("blur", leave);
    box.addEventListener("keydown", event => {
      if (event.key === "Escape") { leave(); return; }
      const to = moved(event, at, chart.count);
      if (to !== null) tell(to);
    });
  }

  const timeline = document.querySelector("[data-chart=tasks]");
  if (timeline) {
    const tasks = data.slots.tasks, boxes = [...timeline.querySelectorAll("rect.task")];
    let at = -1;
    const tell = (i, x, y) => {
      if (at >= 0) boxes[at].classList.remove("here");
      at = i;
      boxes[at].classList.add("here");
      const [line, start, took, state, runs, worker] = tasks[at], here = boxes[at].getBoundingClientRect();
      show("line " + (line ?? "?") + ": " + state + (runs > 1 ? " at run " + runs : "") + "\ntook " + span(took) +
        ", began after " + span(start) + "\non " + worker, x ?? here.left, y ?? here.top);
    };
    const leave = () => { if (at >= 0) boxes[at].classList.remove("here"); hide(); };
    timeline.addEventListener("pointermove", event => {
      const box = event.target.closest("rect.task");
      if (box) tell(Number(box.dataset.n), event.clientX, event.clientY); else leave();
    });
    timeline.addEventListener("pointerleave", leave);
    timeline.addEventListener("blur", leave);
    timeline.addEventListener("keydown", event => {
      if (event.key === "Escape") { leave(); return; }
      const to = moved(event, at, boxes.length);
      if (to !== null) { boxes[to].scrollIntoView({block: "nearest"}); tell(to); }
    });
  }

  const density = document.querySelector("[data-chart=density]");
  if (density) {
    const rows = [...density.querySelectorAll(".box")], busy = data.slots.busy_percent;
    const bins = Math.max(...busy.map(row => row.length));
    let row = 0, at = -1;
    const tell = (r, i, x, y) => {
      [row, at] = [Math.max(0, Math.min(rows.length - 1, r)), Math.max(0, Math.min(bins - 1, i))];
      const here = rows[row].getBoundingClientRect();
      show(data.slots.workers[row] + "\n" + (busy[row][at] ?? 0) + "% busy, " + span(at * data.slots.width_ms) +
        " after the begin", x ?? here.left + here.width * (at + .5) / bins, y ?? here.top);
    };
    density.addEventListener("pointermove", event => {
      const box = event.target.closest(".box");
      if (!box) { hide(); return; }
      const here = box.getBoundingClientRect();
      tell(rows.indexOf(box), Math.floor(bins * (event.clientX - here.left) / here.width), event.clientX, event.clientY);
    });
    density.addEventListener("pointerleave", hide);
    density.addEventListener("blur", hide);
    density.addEventListener("keydown", event => {
      if (event.key === "Escape") { hide(); return; }
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        rows[Math.max(0, Math.min(rows.length - 1, row + (event.key === "ArrowDown" ? 1 : -1)))].scrollIntoView({block: "nearest"});
        tell(row + (event.key === "ArrowDown" ? 1 : -1), Math.max(0, at));
        return;
      }
      const to = moved(event, at, bins);
      if (to !== null) tell(row, to);
    });
  }

  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(each => { each.open = true; }));
  const save = document.getElementById("save");
  save.hidden = false;
  save.addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([JSON.stringify(data, null, 1)], {type: "application/json"}));
    Object.assign(document.createElement("a"), {href: url, download: data.stats.job + ".json"}).click();
    URL.revokeObjectURL(url);
  });
})();
