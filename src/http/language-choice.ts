import type { FastifyInstance, FastifyRequest } from "fastify";

import { chooseLanguage, chosenLanguage, type Language } from "../web/language.ts";
import { askedLanguage } from "./pages.ts";

/** Of the browser's own: it opens nothing, and the server keeps nothing of it. */
const COOKIE = "suido-lang";

/** A year, in seconds: the next renewal is read by the same person. */
const MAX_AGE_SECONDS = 365 * 24 * 60 * 60;

function signsOf(request: FastifyRequest): { asked: string | undefined; kept: string | undefined } {
  return { asked: askedLanguage(request), kept: request.cookies[COOKIE] };
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
