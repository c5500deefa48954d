import { expect, it } from "vitest";

import { appWith } from "./app.ts";

const person = { accept: "text/html", "accept-language": "ja" };

it.for([
  {
    method: "POST",
    url: "/way/codes",
    status: 403,
    title: "この操作はできませんでした",
    on: "/way",
  },
  { method: "GET", url: "/way", status: 500, title: "いまは先へ進めません", on: "/way" },
  {
    method: "POST",
    url: "/emergency/codes",
    status: 403,
    title: "この操作はできませんでした",
    on: "/emergency/next",
  },
] as const)("shows a person a page after $method $url, and how to go on", async (asked) => {
  const { app, lines } = await appWith();
  const foreign = { origin: "https://elsewhere.example" };
  const headers = { ...person, ...foreign, cookie: "suido-way=00112233445566778899aabbccddeeff" };
  const { method, on, status, title, url } = asked;
  const answer = await app.inject({
    method,
    url,
    headers,
    payload: method === "POST" ? "a=b" : "",
  });
  expect([answer.statusCode, answer.headers["content-type"]]).toEqual([
    status,
    "text/html; charset=utf-8",
  ]);
  expect(answer.headers["x-request-id"]).toBeDefined();
  expect(answer.body).toContain(`class="button" href="${on}"`);
  expect(answer.body).toContain(title);
  expect(answer.body).not.toMatch(/SECRET-INTERNAL-TEXT|urn:uuid/);
  expect(lines.some((line) => line.includes("a request failed"))).toBe(status === 500);
  await app.close();
});

it("answers programs, and the API whoever asks, with a problem", async () => {
  const { app } = await appWith();
  const asked = await app.inject({ url: "/v1/devices", headers: person });
  const program = await app.inject({ method: "POST", url: "/way/codes", payload: "a=b" });
  for (const { headers } of [asked, program])
    expect(headers["content-type"]).toBe("application/problem+json");
  await app.close();
});
