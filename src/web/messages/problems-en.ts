/** What a problem document's `type` stands for: its title, when it comes, and what to do then. */
export interface ProblemText {
  readonly title: string;
  readonly meaning: string;
  readonly remedy: string;
}

/** Every problem that our programming interfaces answer with, in English. The titles also stand in the documents themselves. */
export const PROBLEMS_EN = {
  "malformed-request": {
    title: "Malformed request",
    meaning: "The request is not well-formed HTTP, or its body is not well-formed JSON.",
    remedy: "Send one JSON value in UTF-8, and percent-encode what the address needs.",
  },
  "invalid-request": {
    title: "Invalid request",
    meaning:
      "A member, parameter or header is missing, unknown, or not what it should be. Nothing is dropped or converted in silence.",
    remedy: "The member errors names each field and says what is right there.",
  },
  "invalid-value": {
    title: "Value not allowed",
    meaning: "The value has the right type but cannot stand for what it should name.",
    remedy: "The member errors names the field. Send another value.",
  },
  "invalid-serial": {
    title: "Malformed serial number",
    meaning: "Serial numbers are lower-case hexadecimal of whole octets, without a prefix.",
    remedy: "Copy the serial number from the certificate, without colons and in lower case.",
  },
  unauthorized: {
    title: "Sign-in required",
    meaning: "The request carries no API key, or one that is not valid any more.",
    remedy: "Send Authorization: Bearer with a key made by suido api-key create.",
  },
  forbidden: {
    title: "Not allowed for this role",
    meaning: "The API key is valid, but its role may not do this.",
    remedy: "Use a key of a role that may, or ask whoever gives out the keys.",
  },
  "outside-scope": {
    title: "Beyond this key's corporation",
    meaning: "The API key is bound to one corporation, and this goes beyond it.",
    remedy: "Use a key that is not bound to a corporation.",
  },
  "second-principal-needed": {
    title: "Somebody else must confirm this",
    meaning: "It stops devices, so the API key that proposed it is not the one that confirms it.",
    remedy:
      "Have a second person look at the devices that it names, and confirm with their own key.",
  },
  "not-found": {
    title: "Not found",
    meaning: "There is nothing of this name that this key may see.",
    remedy: "Check the identifier. What belongs to another corporation is not found either.",
  },
  "no-such-route": {
    title: "No such address",
    meaning: "Nothing is served at this address.",
    remedy: "The addresses that are served stand in /openapi.json.",
  },
  "method-not-allowed": {
    title: "Method not allowed",
    meaning: "The address exists, but not for this method.",
    remedy: "The header Allow lists the methods that it has.",
  },
  "not-acceptable": {
    title: "Not acceptable",
    meaning: "The header Accept excludes all that is served here, mostly application/json.",
    remedy: "Send Accept with one of the types that detail names, or leave the header out.",
  },
  conflict: {
    title: "Conflict",
    meaning: "Something else already has this value, or was changed in the meantime.",
    remedy: "Look at what exists first, or choose another value for the named field.",
  },
  "still-in-use": {
    title: "Still in use",
    meaning: "Other things depend on this, so it cannot be removed.",
    remedy: "Remove or end what depends on it first.",
  },
  "not-a-member": {
    title: "Not a member of the pharmacy",
    meaning: "The account is not an active member of the pharmacy that the device belongs to.",
    remedy: "Create the membership first, or name another account.",
  },
  "idempotency-key-reused": {
    title: "Idempotency key used before",
    meaning: "This key was sent before with another request.",
    remedy: "Use a fresh Idempotency-Key for each new request; repeat one only with the same body.",
  },
  "bulk-refused": {
    title: "Some of them are not possible",
    meaning:
      "At least one of the certificates that were asked for together cannot be issued. Nothing was taken.",
    remedy:
      "The member errors names the first ones by their place. Mend or leave out those, and send all of it again.",
  },
  "batch-refused": {
    title: "Some of the lines are not possible",
    meaning:
      "At least one line of the file cannot become an invitation. Nothing was made, and no mail goes out.",
    remedy:
      "The member errors names the first ones by line and column. Send the file with dryRun=true to see all of them, mend it, and send it again.",
  },
  "not-collected": {
    title: "Not collected",
    meaning:
      "It was part of a bulk issue, and nobody collected it in time. There is no certificate.",
    remedy: "Ask for it again, and collect it within 30 days.",
  },
  "invalid-state": {
    title: "Not possible in this state",
    meaning: "The certificate is in a state that does not allow this.",
    remedy: "Look at its status. A revocation is never undone; a reissue gives a new certificate.",
  },
  "already-revoked": {
    title: "Already revoked",
    meaning:
      "The certificate is revoked for another reason. Only keyCompromise may replace a reason.",
    remedy: "Nothing needs to be done: the certificate is dead everywhere.",
  },
  "not-renewable": {
    title: "Emergency certificate",
    meaning:
      "It was made for one night, for a machine that stands in for another, and ends 24 hours after its issue.",
    remedy:
      "Mend the machine that it stands in for, or ask a person to put a certificate on a new device.",
  },
  "key-in-use": {
    title: "Key already in use",
    meaning:
      "The public key belongs to another device or account, or to the certificate that is to be replaced.",
    remedy: "Make a new key pair for this certificate.",
  },
  "key-compromised": {
    title: "Key known as compromised",
    meaning: "A certificate with this public key was revoked for keyCompromise.",
    remedy: "Make a new key pair. This one will never be accepted again.",
  },
  "weak-key": {
    title: "Weak key",
    meaning: "The public key can be broken: it is too short, or was made by a faulty program.",
    remedy: "Use a P-256 or P-384 key, or RSA of 2048 bits or more, made by current software.",
  },
  "unsupported-key": {
    title: "Unsupported key",
    meaning: "The key, or its form, is of a kind that is not taken here.",
    remedy: "Use a P-256 or P-384 key, or RSA of 2048 or 3072 bits.",
  },
  "malformed-csr": {
    title: "Malformed certificate request",
    meaning: "The certificate request is not a PKCS#10 request (RFC 2986).",
    remedy: "Send the PEM text of a request, as made by openssl req -new.",
  },
  "malformed-pem": {
    title: "Malformed PEM",
    meaning: "The text is not the one PEM block that was expected (RFC 7468).",
    remedy: "Send the whole text from -----BEGIN to -----END, once.",
  },
  "bad-proof-of-possession": {
    title: "Request not signed by its key",
    meaning: "The certificate request's own signature does not verify with its key.",
    remedy: "Make the request again with the private key that it is for.",
  },
  "lint-failed": {
    title: "Request breaks a rule",
    meaning: "The certificate that would come of it breaks a rule, so it was not signed.",
    remedy: "The member errors names the rules. Change the request and send it again.",
  },
  "invalid-name": {
    title: "Name cannot stand in a certificate",
    meaning: "A name is too long, or holds characters that a certificate cannot carry.",
    remedy: "Shorten the name of the device, or use other characters.",
  },
  "beyond-issuer": {
    title: "Would outlive its issuer",
    meaning: "The certificate would be valid longer than the authority that issues it.",
    remedy: "An operator has to begin the next generation of the issuing authority.",
  },
  "profile-unknown": {
    title: "Unknown profile",
    meaning: "There is no certificate profile of this name for devices.",
    remedy: "Leave profile out, or use a name from ca-config.",
  },
  "content-too-large": {
    title: "Body too large",
    meaning: "The body of a request has at most 64 kB (65,536 octets).",
    remedy: "Send less at once.",
  },
  "unsupported-media-type": {
    title: "Unsupported media type",
    meaning: "The body of a request must be application/json.",
    remedy: "Send Content-Type: application/json.",
  },
  "headers-too-large": {
    title: "Headers too large",
    meaning: "Address and headers of a request together have at most 16 kB.",
    remedy: "Send fewer or shorter headers.",
  },
  "request-timeout": {
    title: "Request timed out",
    meaning: "The request did not arrive in time.",
    remedy: "Send it again.",
  },
  "database-unavailable": {
    title: "Database unavailable",
    meaning: "The database does not answer. Revocation status is served all the same.",
    remedy: "Try again after the time in Retry-After, with the same Idempotency-Key.",
  },
  "signer-unavailable": {
    title: "Signer unavailable",
    meaning: "The signer does not answer. What was asked may still be finished.",
    remedy: "Try again after the time in Retry-After, with the same Idempotency-Key.",
  },
  stopping: {
    title: "About to stop",
    meaning:
      "This process is about to stop, for example for an update, and takes no more requests.",
    remedy: "Try again after the time in Retry-After, on a new connection. Nothing was done.",
  },
  "issuing-stopped": {
    title: "Issuing stopped",
    meaning: "No certificates are issued at the moment. Everything else goes on.",
    remedy: "Try again later. An operator sees the reason in suido ca show.",
  },
  quarantine: {
    title: "In quarantine",
    meaning:
      "Journal and database disagree, for example after a restore. Until they agree, nothing is issued or released.",
    remedy: "It ends by itself when all is well; otherwise an operator is needed.",
  },
  "internal-error": {
    title: "Internal error",
    meaning: "A fault of ours. It is on record under the request's id.",
    remedy: "Try again; if it stays, tell us the id in instance.",
  },
  "no-client-certificate": {
    title: "No client certificate",
    meaning: "The connection carries no client certificate.",
    remedy: "Choose the certificate of this device when the browser asks, in a new window.",
  },
  "malformed-certificate": {
    title: "Malformed client certificate",
    meaning: "The client certificate is not one that follows RFC 5280 and DER.",
    remedy: "Choose the certificate of this device.",
  },
  "foreign-issuer": {
    title: "Certificate of another issuer",
    meaning: "The client certificate was not issued by this service.",
    remedy: "Choose the certificate of this device.",
  },
  "certificate-unknown": {
    title: "Unknown certificate",
    meaning: "The client certificate is not one that was issued here.",
    remedy: "Ask for a new certificate for this device.",
  },
  "certificate-not-yet-valid": {
    title: "Certificate not valid yet",
    meaning: "The client certificate's first day is still to come.",
    remedy: "Check the clock of the device.",
  },
  "certificate-expired": {
    title: "Certificate expired",
    meaning: "The client certificate's last day has passed.",
    remedy: "Ask for a new certificate for this device.",
  },
  "certificate-revoked": {
    title: "Certificate revoked",
    meaning: "The client certificate was revoked, for good.",
    remedy: "Ask for a new certificate for this device.",
  },
  "certificate-on-hold": {
    title: "Certificate on hold",
    meaning: "The client certificate is on hold and may be released again.",
    remedy: "Ask support why, and to release it.",
  },
  unbound: {
    title: "Certificate stands for nobody",
    meaning: "The certificate is alive, but no account answers for it now.",
    remedy: "Ask support to assign the device.",
  },
  "device-retired": {
    title: "Device retired",
    meaning: "The device of this certificate is not in use any more.",
    remedy: "Ask support, if the device is in use after all.",
  },
  "membership-ended": {
    title: "No member of the pharmacy",
    meaning: "The device is personal, and its person does not work in its pharmacy now.",
    remedy: "Whoever still works there asks support to enter the membership.",
  },
  "account-disabled": {
    title: "Account disabled",
    meaning: "The device is one person's own, and that person's account is disabled.",
    remedy: "Ask support, if the person is to go on working.",
  },
  "tenant-behind": {
    title: "Records are older than they were",
    meaning:
      "The corporation's records were known in a later state: a database was restored. Until they have caught up, nobody of it is let in.",
    remedy: "Nothing by you: the operator sees to it.",
  },
  "too-many-guesses": {
    title: "Too many wrong links and codes",
    meaning:
      "Links or codes that are none were tried so often lately that codes are not looked at for ten minutes. A link from a mail works all the same.",
    remedy: "Open the link in the mail, or try the code again in ten minutes.",
  },
  "other-site": {
    title: "Sent by another site",
    meaning: "A page of another site has sent this in your name. Nothing was done.",
    remedy: "Open the page of this site, and press there.",
  },
  "no-session": {
    title: "Begun elsewhere",
    meaning:
      "This browser has not begun the installation, or it was begun again in another browser since. One browser goes on with it at a time.",
    remedy: "Open the link in the mail, or type the code, in the browser that is to go on.",
  },
  "script-spent": {
    title: "The script was used already",
    meaning:
      "A script for Windows makes one certificate, within an hour, and only the newest of an invitation does. This one was used, is older, or is none of ours.",
    remedy: "Download the script again from the page of the invitation, and run the newest file.",
  },
  "not-identified": {
    title: "Not identified yet",
    meaning: "A certificate is made once it is known who asks, and before the invitation ends.",
    remedy: "Read the support number from the page to support by telephone.",
  },
  "emergencies-used-up": {
    title: "No more emergencies this month",
    meaning: "A pharmacy may have a few emergency certificates a month, and has had them.",
    remedy:
      "Invite a person of the pharmacy to put a certificate on another device, and confirm them by telephone.",
  },
  "too-many-bundles": {
    title: "Too many attempts",
    meaning: "So many certificates were made for this invitation that another would not help.",
    remedy: "Call support: they make a new invitation and help by telephone.",
  },
  "status-too-old": {
    title: "Status too old",
    meaning:
      "Suido has not reached its database for longer than it may answer from memory, so it does not say who may pass.",
    remedy: "Try again. If it stays, tell the operator.",
  },
} as const satisfies Record<string, ProblemText>;

/** The codes that stand at the end of `/problems/…`. */
export type ShownCode = keyof typeof PROBLEMS_EN;
