// Reads {name, html} a line, runs axe-core over each page, writes what it finds a line.
import axe from "axe-core";
import { JSDOM, VirtualConsole } from "jsdom";
import { createInterface } from "node:readline";

const wanted = {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  // Nothing is drawn here: the test reckons colours, and sizes were looked at in a browser.
  rules: { "color-contrast": { enabled: false }, "target-size": { enabled: false } },
  resultTypes: ["violations"],
};
const empty = "<!doctype html><title></title>";
const { window } = new JSDOM(empty, {
  url: "http://127.0.0.1/",
  runScripts: "outside-only",
  virtualConsole: new VirtualConsole(),
});
window.eval(axe.source); // once: reading it takes longer than most pages
const { document } = window;
for await (const line of createInterface({ input: process.stdin })) {
  const { name, html } = JSON.parse(line);
  const page = new window.DOMParser().parseFromString(html, "text/html");
  document.replaceChild(document.importNode(page.documentElement, true), document.documentElement);
  const { violations } = await window.axe.run(document, wanted);
  const found = violations.map((each) => ({
    rule: each.id,
    where: each.nodes.map((node) => node.html.slice(0, 160)),
  }));
  console.log(JSON.stringify({ name, found }));
}
