import { html, type Html } from "./html.ts";
import { layout, type PageContext, pathIn } from "./layout.ts";
import { PROBLEMS_EN, type ShownCode } from "./messages/problems-en.ts";

/** A problem as its page shows it. */
export interface ShownProblem {
  readonly code: ShownCode;
  readonly status: number;
}

/** The list of all problems, by status. */
export function problemsPage(context: PageContext, problems: readonly ShownProblem[]): Html {
  const { messages, problems: texts } = context.catalogue;
  const sorted = problems.toSorted((a, b) => a.status - b.status);
  return layout(context, {
    under: "suido",
    title: messages.problems.title,
    body: html`<div class="stack">
        <h1>${messages.problems.title}</h1>
        <p class="lead">${messages.problems.lead}</p>
      </div>
      <div class="card">
        <ul class="list">
          ${sorted.map(
            ({ code, status }) =>
              html`<li>
                <a href="${pathIn(context, `/problems/${code}`)}"
                  ><span>${texts[code].title}</span><code>${status} ${code}</code></a
                >
              </li>`,
          )}
        </ul>
      </div>`,
  });
}

/** One problem: what it means and what to do. */
export function problemPage(context: PageContext, { code, status }: ShownProblem): Html {
  const { messages, problems: texts } = context.catalogue;
  const words = messages.problems;
  const { title, meaning, remedy } = texts[code];
  const example = JSON.stringify(
    { type: `/problems/${code}`, title: PROBLEMS_EN[code].title, status },
    undefined,
    2,
  );
  return layout(context, {
    under: "suido",
    title,
    body: html`<div class="stack">
        <p class="soft">${words.status} ${status} ・ <code>${code}</code></p>
        <h1>${title}</h1>
      </div>
      <div class="card">
        <h2>${words.means}</h2>
        <p>${meaning}</p>
        <h2>${words.todo}</h2>
        <p>${remedy}</p>
        <h2 id="example">${words.example}</h2>
        <pre role="region" aria-labelledby="example" tabindex="0"><code>${example}</code></pre>
        <div class="row">
          <a class="button quiet" href="${pathIn(context, "/problems")}">${words.all}</a>
        </div>
      </div>`,
  });
}
