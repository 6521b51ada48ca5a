// SPDX-License-Identifier: Apache-2.0
// The page for labelling: keys, the next answer without a wait, and labels that wait in this
// browser while the connection is lost. The page works without it, by plain forms.
//
// 1. What waits is kept in localStorage, by person: random names of answers and labels, no text.
// 2. A label leaves the queue only when the server has confirmed that very label.
// 3. A label is sent with the version it was given over. If another stands there, the server's stays,
//    and the person is told; unless what stands is what this page itself sent before.
// 4. Text is written as text. Nothing here makes mark-up of it.
"use strict";
(() => {
  const work = document.getElementById("work");
  const { address, proof, who, at: first, closed } = work.dataset;
  const by = (id) => document.getElementById(id);
  const store = `countermark-annotate.${who}`;
  const steps = [1000, 2000, 5000, 10000, 30000];
  let answers = [];
  let here = 0;
  let sending = false;
  let failures = 0;
  let timer = 0;
  let said = "";
  let written = ""; // Which answer stands on the page; it is not written again over a selection.

  const read = () => {
    try {
      return JSON.parse(localStorage.getItem(store) || "{}");
    } catch {
      return {};
    }
  };
  let memory = null; // Used where the browser keeps nothing.
  const queue = () => memory || read();
  const keep = (waiting) => {
    try {
      localStorage.setItem(store, JSON.stringify(waiting));
    } catch {
      memory = waiting;
    }
  };

  const state = (words, kind) => {
    const place = by("state");
    if (place.textContent !== words) place.textContent = words;
    place.className = kind;
  };
  const show = () => {
    const waiting = Object.keys(queue()).length;
    if (said) state(said, "bad");
    else if (waiting) state(`Not saved yet: ${waiting}`, "waits");
    else if (closed === "yes") state("Handed in", "saved");
    else state("Saved", "saved");
  };

  const write = (place, paragraphs) => {
    place.replaceChildren(...paragraphs.map((line) => {
      const p = document.createElement("p");
      p.dir = line.dir;
      for (const [text, named] of line.pieces) {
        if (named) {
          const sign = document.createElement("code");
          sign.className = "hidden-sign";
          sign.dir = "ltr";
          sign.title = "a character that is not seen";
          sign.textContent = text;
          p.append(sign);
        } else {
          p.append(text);
        }
      }
      if (!line.pieces.length) p.append(document.createElement("br"));
      return p;
    }));
  };
  const link = (id, item) => {
    if (item) by(id).href = `${address}?at=${item.item}`;
    else by(id).removeAttribute("href");
    by(id).toggleAttribute("aria-disabled", !item);
    if (!item) by(id).setAttribute("aria-disabled", "true");
  };
  const render = () => {
    const one = answers[here];
    if (written !== one.item) {
      write(by("prompt"), one.prompt);
      write(by("answer"), one.answer);
      written = one.item;
    }
    for (const button of document.querySelectorAll("#labels button")) {
      button.setAttribute("aria-pressed", String(button.value === one.label));
    }
    const done = answers.filter((other) => other.label).length;
    by("place").textContent = `Answer ${here + 1} of ${answers.length}`;
    by("count").textContent = `${done} labelled`;
    by("progress").value = done;
    by("labels").elements.item.value = one.item;
    by("labels").elements.over.value = one.version;
    by("labels").elements.next.value = answers[Math.min(here + 1, answers.length - 1)].item;
    by("said").replaceChildren();
    if (one.said.length) {
      const p = document.createElement("p");
      p.textContent = `Raters said: ${one.said.map(([rater, label]) => `${label} (${rater})`).join(", ")}`;
      by("said").append(p);
    }
    link("previous", answers[here - 1]);
    link("next", answers[here + 1]);
    show();
  };
  const go = (place) => {
    if (place < 0 || place >= answers.length) return;
    here = place;
    history.replaceState(null, "", `${address}?at=${answers[here].item}`);
    render();
    by("question").focus({ preventScroll: true });
    window.scrollTo(0, 0);
  };
  const goOpen = () => {
    const after = [...answers.keys()].map((i) => (here + 1 + i) % answers.length);
    const open = after.find((i) => !answers[i].label);
    if (open !== undefined) go(open);
  };

  const label = (value) => {
    if (closed === "yes") return;
    const one = answers[here];
    const waiting = queue();
    const before = waiting[one.item];
    if (one.label !== value || before) {
      said = "";
      waiting[one.item] = {
        label: value,
        over: before ? before.over : one.version,
        sent: before ? before.sent : [],
      };
      keep(waiting);
      one.label = value;
      send();
    }
    if (here + 1 < answers.length) go(here + 1);
    else render();
  };

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(send, steps[Math.min(failures, steps.length - 1)]);
    failures += 1;
  };
  // What the server answered about one label: true if the next may be sent.
  const settle = (item, sent, status, answer) => {
    const waiting = queue();
    const now = waiting[item];
    const known = answers.find((one) => one.item === item);
    if (known && answer.version !== undefined) known.version = answer.version;
    if (status === 200 || (status === 409 && answer.version !== undefined)) {
      const own = now && now.sent.includes(answer.label);
      const again = now && (status === 200 ? now.label !== sent : own && now.label !== answer.label);
      if (again) {
        now.over = answer.version;
        now.sent = [];
      } else if (now) {
        delete waiting[item];
        if (status === 409 && now.label !== answer.label) {
          said = `Changed elsewhere to ${answer.label || "no label"}: look again`;
          if (known) known.label = answer.label;
        }
      }
      keep(waiting);
      return true;
    }
    if (status === 403) {
      said = `${answer.error || "Your link has ended."} Unsaved labels stay in this browser.`;
      return false;
    }
    if (status === 404 || status === 413) {
      said = answer.error || "A label was refused.";
      delete waiting[item];
      keep(waiting);
      return true;
    }
    later();
    return false;
  };
  const send = async () => {
    if (sending) return;
    sending = true;
    clearTimeout(timer);
    try {
      for (;;) {
        const waiting = queue();
        const item = Object.keys(waiting)[0];
        if (!item) break;
        const { label: value, over } = waiting[item];
        if (!waiting[item].sent.includes(value)) waiting[item].sent.push(value);
        keep(waiting);
        const response = await fetch("/annotate/save", {
          method: "POST",
          headers: { "Content-Type": "application/json", "X-Form-Proof": proof },
          body: JSON.stringify({ item, label: value, over }),
        });
        const answer = await response.json().catch(() => ({}));
        if (!settle(item, value, response.status, answer)) break;
        failures = 0;
        show();
      }
    } catch {
      later(); // No connection: what waits is kept.
    } finally {
      sending = false;
      show();
      if (answers.length) render();
    }
  };

  const key = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || by("help").open || !answers.length) return;
    const does = {
      1: () => label("yes"),
      2: () => label("no"),
      3: () => label("unsure"),
      u: () => label("unsure"),
      n: goOpen,
      ArrowLeft: () => go(here - 1),
      ArrowRight: () => go(here + 1),
      "?": () => by("help").showModal(),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  };

  const begin = async () => {
    try {
      const response = await fetch(`${address}/answers.json`);
      if (!response.ok) return; // The forms still work.
      answers = (await response.json()).answers;
    } catch {
      return;
    }
    const waiting = queue();
    for (const one of answers) if (waiting[one.item]) one.label = waiting[one.item].label;
    here = Math.max(0, answers.findIndex((one) => one.item === first));
    by("labels").addEventListener("submit", (event) => {
      event.preventDefault();
      label(event.submitter.value);
    });
    for (const [id, step] of [["previous", -1], ["next", 1]]) {
      by(id).addEventListener("click", (event) => {
        event.preventDefault();
        go(here + step);
      });
    }
    by("open").addEventListener("click", (event) => {
      event.preventDefault();
      goOpen();
    });
    by("finish").addEventListener("click", (event) => {
      if (!Object.keys(queue()).length) return;
      event.preventDefault();
      said = "";
      show();
      send();
    });
    document.addEventListener("keydown", key);
    window.addEventListener("online", () => {
      failures = 0;
      send();
    });
    window.addEventListener("storage", show);
    window.addEventListener("beforeunload", (event) => {
      if (Object.keys(queue()).length) event.preventDefault();
    });
    work.dataset.ready = "yes";
    render();
    send();
  };
  begin();
})();
