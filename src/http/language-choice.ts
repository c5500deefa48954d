import type { FastifyInstance, FastifyRequest } from "fastify";

import { chooseLanguage, chosenLanguage, type Language } from "../web/language.ts";

/** Of the browser's own: it opens nothing, and the server keeps nothing of it. */
const COOKIE = "suido-lang";

/** A year, in seconds: the next renewal is read by the same person. */
const MAX_AGE_SECONDS = 365 * 24 * 60 * 60;

/** An address may carry anything after its question mark: pages read `lang` and leave the rest alone. */
export function askedLanguage({ query }: FastifyRequest): string | undefined {
  const { lang } = query as { readonly lang?: unknown };
  return typeof lang === "string" ? lang : undefined;
}

function signsOf(request: FastifyRequest): { asked: string | undefined; kept: string | undefined } {
  // Where nothing is served, there are no cookies either.
  const { cookies } = request as Partial<FastifyRequest>;
  return { asked: askedLanguage(request), kept: cookies?.[COOKIE] };
}

/** The language that was chosen on this page or one before it; undefined where the browser's own preference holds. */
export function choiceOf(request: FastifyRequest): Language | undefined {
  return chosenLanguage(signsOf(request));
}

/** The language to answer in, where choices are kept. */
export function languageOf(request: FastifyRequest): Language {
  const acceptLanguage = request.headers["accept-language"];
  return chooseLanguage({ ...signsOf(request), acceptLanguage });
}

/** Where the same page is in the other language. Of a form's answer it is the page that the form stood on. */
export function pathOf({ method, url }: FastifyRequest): string {
  const [asked = "", query] = url.split("?", 2);
  if (method !== "GET") return `/${asked.split("/")[1]}`;
  const others = new URLSearchParams(query);
  others.delete("lang");
  return others.size === 0 ? asked : `${asked}?${String(others)}`;
}

/**
 * Lets the browser keep the language that an address asks for (`?lang=`), so that it outlives forms and redirects. For all
 * routes of `app`, which has cookies.
 */
export function keepChoice(app: FastifyInstance, appUrl: string): void {
  const secure = appUrl.startsWith("https:");
  app.addHook("onRequest", async (request, reply) => {
    const asked = chosenLanguage({ asked: askedLanguage(request) });
    if (asked === undefined) return;
    reply.setCookie(COOKIE, asked, {
      path: "/",
      httpOnly: true,
      sameSite: "lax",
      secure,
      maxAge: MAX_AGE_SECONDS,
    });
  });
}
