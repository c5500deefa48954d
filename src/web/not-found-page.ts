import { html, type Html } from "./html.ts";
import { layout, type PageContext, pathIn } from "./layout.ts";

/** For a person's browser at an address that is not there. */
export function notFoundPage(context: PageContext): Html {
  const { notFound } = context.catalogue.messages;
  return layout(context, {
    title: notFound.title,
    under: "site",
    body: html`<div class="stack">
      <h1>${notFound.title}</h1>
      <p class="lead">${notFound.text}</p>
      <div class="row"><a class="button" href="${pathIn(context, "/")}">${notFound.button}</a></div>
    </div>`,
  });
}
