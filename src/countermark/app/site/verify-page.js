// SPDX-License-Identifier: Apache-2.0
/* The page /verify: takes files, has verify.js judge each, and shows three ticks.

   What a file says is shown as text nodes only, shortened. Nothing is sent: the page's own policy
   forbids every connection. */
"use strict";
(() => {
  const MAX_FILES = 100;
  const MAX_BYTES = 64 * 1024 * 1024;
  const MAX_SHOWN = 2000; // characters of one detail
  const TICKS = [
    { question: "A member who may say it signed it", rules: [1, 2, 3, 4] },
    { question: "It is in that author’s log", rules: [5, 6] },
    { question: "Enough others witnessed it", rules: [7] },
  ];
  const roster = JSON.parse(document.getElementById("roster").textContent);
  const [drop, input, status, results] = ["drop", "files", "status", "results"].map((id) =>
    document.getElementById(id)
  );
  let latest = 0;

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children); // a string becomes a text node, never markup
    return made;
  }

  /** Text from a file: cut short, and with no character that turns or hides its neighbours. */
  function quoted(text) {
    const cut = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
    const plain = cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
      `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`
    );
    return element("bdi", {}, plain);
  }

  function mark(state) {
    const [tone, sign, word] = {
      yes: ["yes", "✓", "Yes"],
      no: ["no", "✕", "No"],
      unknown: ["open", "○", "Not reached"],
    }[state];
    const hidden = element("span", { "aria-hidden": "true" }, sign);
    return element("span", { class: `tag ${tone}` }, hidden, ` ${word}`);
  }

  function tick({ question, rules }, checks) {
    const own = checks.filter((check) => rules.includes(check.rule));
    const failed = own.some((check) => !check.ok && check.reached);
    const state = own.every((check) => check.ok) ? "yes" : failed ? "no" : "unknown";
    const list = element("ol", { start: rules[0] });
    for (const check of own) {
      const shown = check.ok ? "yes" : check.reached ? "no" : "unknown";
      const title = element("strong", {}, check.title);
      list.append(element("li", {}, mark(shown), " ", title, ": ", quoted(check.detail)));
    }
    const summary = element("summary", {}, mark(state), ` ${question}`);
    const details = element("details", {}, summary, list);
    details.open = state !== "yes";
    return details;
  }

  function moment(stamp) {
    const form = { dateStyle: "long", timeStyle: "medium", timeZone: "UTC" };
    const words = `${new Intl.DateTimeFormat("en-GB", form).format(new Date(stamp))} UTC`;
    return element("time", { datetime: stamp }, words);
  }

  function said(verdict) {
    return element("p", {},
      `${verdict.kind[0].toUpperCase()}${verdict.kind.slice(1).replaceAll("-", " ")}, said by `,
      quoted(verdict.name), " (", quoted(verdict.author), "), witnessed ",
      moment(verdict.witnessed), ` by ${verdict.witnesses.length} others.`);
  }

  function card(name, valid, ...content) {
    const [tone, sign, word] = valid ? ["yes", "✓", "Valid"] : ["no", "✕", "Not valid"];
    const hidden = element("span", { "aria-hidden": "true" }, sign);
    const heading = element("h2", { class: "code" }, quoted(name));
    const headline = element("p", { class: "tag" }, hidden, ` ${word}`);
    return element("section", { class: `verdict ${tone}` }, heading, headline, ...content);
  }

  /** Why a file is nothing that this page can judge, in plain words, or null. */
  function notForThisPage(bytes) {
    let value;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      return "This file is not JSON, so it is no signed statement.";
    }
    const format = value?.format;
    if (format === "countermark-statement") return null;
    const other = typeof format === "string" && format.startsWith("countermark-");
    return other
      ? "This is a file of another kind, which this page does not check. Use the command below."
      : "This file is no signed statement. Those of a record lie in its folder “statements”.";
  }

  async function judged(file) {
    if (file.size > MAX_BYTES) return { problem: "This file is larger than 64 MiB." };
    let bytes;
    try {
      bytes = new Uint8Array(await file.arrayBuffer());
    } catch {
      return { problem: "This file cannot be read. If it is a folder, choose the files in it." };
    }
    const problem = notForThisPage(bytes);
    if (problem) return { problem };
    try {
      return await countermark.verifyStatement(bytes, roster, Date.now() / 1000);
    } catch (error) {
      return { problem: `This browser could not finish the check (${error.name}).` };
    }
  }

  async function check(files) {
    const turn = ++latest;
    const chosen = [...files].slice(0, MAX_FILES);
    if (!chosen.length) return;
    status.textContent = "Checking …";
    const cards = [];
    let valid = 0;
    for (const file of chosen) {
      const verdict = await judged(file);
      if (turn !== latest) return; // other files were chosen meanwhile
      valid += Boolean(verdict.valid);
      const content = verdict.problem
        ? [element("p", {}, verdict.problem)]
        : TICKS.map((one) => tick(one, verdict.checks));
      if (verdict.valid) content.unshift(said(verdict));
      cards.push(card(file.name, verdict.valid === true, ...content));
    }
    results.replaceChildren(...cards);
    const left = files.length - chosen.length;
    status.textContent = `${valid} of ${chosen.length} ${chosen.length === 1 ? "file" : "files"} ` +
      `valid.${left ? ` ${left} more were left out; at most ${MAX_FILES} are read at once.` : ""}`;
  }

  function take() {
    input.addEventListener("change", () => check(input.files));
    // Without these a browser would leave the page and open the file.
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      check(event.dataTransfer.files);
    });
    drop.hidden = false;
  }

  countermark.missing().then((why) => {
    status.textContent = why === null ? "" : `Nothing can be checked here. ${why}`;
    if (why === null) take();
  });
})();
