import { expect, it } from "vitest";

import { acceptsJson, prefersHtml } from "../../../src/http/accept.ts";

it.for([
  undefined,
  "",
  "*/*",
  "application/json",
  "Application/JSON; charset=utf-8",
  "text/html, */*;q=0.1",
  "application/problem+json",
  "application/*;q=0.5",
])("Accept %s takes JSON", (accept) => {
  expect(acceptsJson(accept)).toBe(true);
});

it.for([
  "text/html",
  "application/xml, text/plain",
  "application/json;q=0",
  "application/json;q=0.000, text/html",
])("Accept %s does not", (accept) => {
  expect(acceptsJson(accept)).toBe(false);
});

it.for([
  { accept: "text/html,application/xhtml+xml,*/*;q=0.8", html: true },
  { accept: "*/*", html: false },
  { accept: undefined, html: false },
  { accept: "text/html;q=0", html: false },
])("Accept $accept is a browser's: $html", ({ accept, html }) => {
  expect(prefersHtml(accept)).toBe(html);
});
