import type { PublicUrls } from "./home-page.ts";
import { html, type Html } from "./html.ts";
import type { PageContext } from "./layout.ts";

/** What an operator types to see a certificate for the first time. Each block works as it stands, after the ones before. */
function commands({
  app,
}: PublicUrls): Readonly<Record<"key" | "registry" | "issue" | "status", string>> {
  return {
    key: `KEY=$(npx suido api-key create --role admin --json | node -p 'JSON.parse(fs.readFileSync(0)).key')`,
    registry: `post() { curl -sS --fail-with-body -H "Authorization: Bearer $KEY" --json "$2" ${app}/v1/$1; }
id() { node -p 'JSON.parse(fs.readFileSync(0)).id'; }

CORPORATION=$(post corporations '{"name":"株式会社みずき薬局"}' | id)
PHARMACY=$(post pharmacies '{"corporationId":"'$CORPORATION'","name":"本店"}' | id)
ACCOUNT=$(post accounts '{"corporationId":"'$CORPORATION'","name":"薬師 太郎"}' | id)
post memberships '{"accountId":"'$ACCOUNT'","pharmacyId":"'$PHARMACY'","role":"manager"}'
DEVICE=$(post devices '{"pharmacyId":"'$PHARMACY'","name":"受付1号機","platform":"windows"}' | id)`,
    issue: `post certificates '{"accountId":"'$ACCOUNT'","deviceId":"'$DEVICE'"}' > certificate.json`,
    status: `SERIAL=$(node -p 'JSON.parse(fs.readFileSync("certificate.json")).serialNumber')
curl -sS -H "Authorization: Bearer $KEY" ${app}/v1/status/$SERIAL`,
  };
}

/** From an empty service to a living certificate. */
export function firstSteps({ catalogue: { messages } }: PageContext, urls: PublicUrls): Html {
  const words = messages.console;
  const texts = commands(urls);
  const steps = [
    [words.key, words.keyMore, texts.key],
    [words.registry, words.registryMore, texts.registry],
    [words.issue, words.issueMore, texts.issue],
    [words.status, words.statusMore, texts.status],
  ] as const;
  return html`<section class="stack" aria-labelledby="first">
    <h2 id="first">${words.first}</h2>
    <div class="card">
      <p>${words.firstLead}</p>
      <ol class="steps">
        ${steps.map(
          ([title, more, text]) =>
            html`<li>
              <h3>${title}</h3>
              <p class="soft">${more}</p>
              <pre
                role="region"
                aria-label="${words.region}: ${title}"
                tabindex="0"
              ><code>${text}</code></pre>
            </li>`,
        )}
      </ol>
    </div>
  </section>`;
}
