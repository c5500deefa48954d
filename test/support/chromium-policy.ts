/**
 * A policy, as the sheet for whoever looks after the equipment gives it (`web/equipment-page.ts`), by which Chromium picks a client certificate by itself: a person does it in a dialog, which a program cannot
 * press. Of several files of policies that say the same thing one counts, so it is the same text in each test, for every
 * port.
 */
export const PICK_BY_ITSELF = JSON.stringify({
  AutoSelectCertificateForUrls: [
    JSON.stringify({ pattern: "https://[*.]localhost", filter: { ISSUER: { O: "Suido" } } }),
  ],
});
