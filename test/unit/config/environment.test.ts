import { describe, expect, it } from "vitest";

import { ConfigurationError, loadConfig } from "../../../src/config/environment.ts";

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
  return [];
}

/** What production asks for, so that one value at a time can be spoilt. */
const PRODUCTION = {
  SUIDO_MODE: "production",
  SUIDO_VA_URL: "http://va.example.jp",
  SUIDO_KEK_FILE: "/etc/suido/kek",
  SUIDO_MTLS_CERT: "/etc/suido/mtls.pem",
  SUIDO_MTLS_KEY: "/etc/suido/mtls.key",
};

describe("loadConfig", () => {
  it("gives the defaults of the contract to an empty environment", () => {
    const config = loadConfig({});
    expect([config.va.url, config.app.url, config.mtls.url]).toEqual([
      "http://127.0.0.1:8080",
      "http://localhost:8000",
      "https://localhost:8443",
    ]);
    expect(config).toMatchObject({
      mode: "demo",
      timeZone: "Asia/Tokyo",
      maxStaleMs: 86_400_000,
      renewalOverlapDays: 7,
      logLevel: "info",
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.for(["0", "7", "30"])("takes SUIDO_RENEWAL_OVERLAP=%s", (given) => {
    expect(loadConfig({ SUIDO_RENEWAL_OVERLAP: given }).renewalOverlapDays).toBe(Number(given));
  });

  it.for(["0", "2", "31"])("takes SUIDO_EMERGENCIES_PER_MONTH=%s", (given) => {
    const { emergenciesPerMonth } = loadConfig({ SUIDO_EMERGENCIES_PER_MONTH: given });
    expect(emergenciesPerMonth).toBe(Number(given));
  });

  it.for(["32", "-1", "two", "02"])("refuses SUIDO_EMERGENCIES_PER_MONTH=%s", (given) => {
    const load = () => loadConfig({ SUIDO_EMERGENCIES_PER_MONTH: given });
    expect(load).toThrow("a number from 0 to 31");
  });

  it.for(["1", "9", "20"])("takes SUIDO_PLACES_PER_DEVICE=%s", (given) => {
    const { placesPerDevice } = loadConfig({ SUIDO_PLACES_PER_DEVICE: given });
    expect(placesPerDevice).toBe(Number(given));
  });

  it.for(["0", "21", "-1", "two", "02"])("refuses SUIDO_PLACES_PER_DEVICE=%s", (given) => {
    const load = () => loadConfig({ SUIDO_PLACES_PER_DEVICE: given });
    expect(load).toThrow("a number of places from 1 to 20");
  });

  it.for(["31", "-1", "7d", "1.5", "007"])("refuses SUIDO_RENEWAL_OVERLAP=%s", (given) => {
    expect(() => loadConfig({ SUIDO_RENEWAL_OVERLAP: given })).toThrow("days from 0 to 30");
  });

  const linux = { platform: "linux", cores: 12 } as const;

  it.for([
    { given: "1", machine: linux, count: 1 },
    { given: "64", machine: linux, count: 64 },
    { given: "auto", machine: linux, count: 12 },
    { given: "auto", machine: { platform: "linux", cores: 96 } as const, count: 64 },
    { given: "auto", machine: { platform: "darwin", cores: 12 } as const, count: 1 },
  ])(
    "takes SUIDO_VA_PROCESSES=$given as $count on $machine.platform with $machine.cores cores",
    ({ given, machine, count }) => {
      expect(loadConfig({ SUIDO_VA_PROCESSES: given }, machine).vaProcesses).toBe(count);
    },
  );

  it.for([
    { given: "0", platform: "linux", wants: "a number from 1 to 64" },
    { given: "65", platform: "linux", wants: "a number from 1 to 64" },
    { given: "two", platform: "linux", wants: "a number from 1 to 64" },
    { given: "2", platform: "darwin", wants: "only Linux" },
  ] as const)("refuses SUIDO_VA_PROCESSES=$given on $platform", ({ given, platform, wants }) => {
    expect(() => loadConfig({ SUIDO_VA_PROCESSES: given }, { ...linux, platform })).toThrow(wants);
  });

  it.for([
    { given: {}, checkUrl: "https://check.localhost:8443" },
    {
      given: { SUIDO_MTLS_URL: "https://prove.example.jp/" },
      checkUrl: "https://check.prove.example.jp",
    },
    {
      given: { SUIDO_MTLS_LISTEN: "127.0.0.1:9443" },
      checkUrl: "https://check.localhost:9443",
    },
    { given: { SUIDO_MTLS_LISTEN: "[::1]:9443" }, checkUrl: "https://check.localhost:9443" },
    {
      given: { SUIDO_CHECK_URL: "https://check.example.jp/" },
      checkUrl: "https://check.example.jp",
    },
  ])("has checks below $checkUrl for $given", ({ given, checkUrl }) => {
    expect(loadConfig(given).checkUrl).toBe(checkUrl);
  });

  it.for([
    "http://check.example.jp",
    "https://192.0.2.1",
    "https://[2001:db8::1]",
    "https://check.example.jp/a",
    "https://Check.example.jp",
    "check.example.jp",
  ])("refuses SUIDO_CHECK_URL=%s", (given) => {
    expect(faultsOf({ SUIDO_CHECK_URL: given })).toEqual([
      expect.stringContaining("SUIDO_CHECK_URL"),
    ]);
  });

  it("derives the public address from the listener unless one is given", () => {
    const config = loadConfig({
      SUIDO_VA_LISTEN: "0.0.0.0:9080",
      SUIDO_APP_LISTEN: "[::1]:9000",
      SUIDO_MTLS_URL: "https://prove.example.jp/",
    });
    expect([config.va.url, config.app.url, config.mtls.url]).toEqual([
      "http://127.0.0.1:9080",
      "http://[::1]:9000",
      "https://prove.example.jp",
    ]);
  });

  it.for([
    {
      name: "a listener without a port",
      env: { SUIDO_VA_LISTEN: "127.0.0.1" },
      blames: "SUIDO_VA_LISTEN",
    },
    {
      name: "a port that is none",
      env: { SUIDO_APP_LISTEN: "localhost:70000" },
      blames: "SUIDO_APP_LISTEN",
    },
    {
      name: "a port for two",
      env: { SUIDO_APP_LISTEN: "localhost:8080" },
      blames: "SUIDO_APP_LISTEN",
    },
    {
      name: "a database that is not PostgreSQL",
      env: { DATABASE_URL: "mysql://localhost/x" },
      blames: "DATABASE_URL",
    },
    {
      name: "a queue that is not Redis",
      env: { REDIS_URL: "http://localhost" },
      blames: "REDIS_URL",
    },
    {
      name: "an address with a query",
      env: { SUIDO_VA_URL: "http://va.example.jp/?a=b" },
      blames: "SUIDO_VA_URL",
    },
    { name: "an unknown mode", env: { SUIDO_MODE: "test" }, blames: "SUIDO_MODE" },
    { name: "an unknown log level", env: { SUIDO_LOG_LEVEL: "loud" }, blames: "SUIDO_LOG_LEVEL" },
    { name: "an unknown time zone", env: { SUIDO_TZ: "Asia/Atlantis" }, blames: "SUIDO_TZ" },
    {
      name: "a duration without a unit",
      env: { SUIDO_MAX_STALE: "24" },
      blames: "SUIDO_MAX_STALE",
    },
    {
      name: "a key store that we lack",
      env: { SUIDO_KEY_STORE: "pkcs11:token=x" },
      blames: "SUIDO_KEY_STORE",
    },
    {
      name: "a key without its certificate",
      env: { SUIDO_MTLS_CERT: "/c" },
      blames: "SUIDO_MTLS_KEY",
    },
    {
      name: "a profile signer's key without its certificate",
      env: { SUIDO_PROFILE_KEY: "/k" },
      blames: "SUIDO_PROFILE_CERT",
    },
    {
      name: "a provider without its client",
      env: { SUIDO_OIDC_ISSUER: "https://id.example.jp/realms/main" },
      blames: "SUIDO_OIDC_CLIENT_ID",
    },
    {
      name: "a client without its provider",
      env: { SUIDO_OIDC_CLIENT_ID: "suido" },
      blames: "SUIDO_OIDC_ISSUER",
    },
    {
      name: "a provider by plain http on another machine",
      env: { SUIDO_OIDC_ISSUER: "http://id.example.jp", SUIDO_OIDC_CLIENT_ID: "suido" },
      blames: "SUIDO_OIDC_ISSUER",
    },
    {
      name: "a provider's address with a query",
      env: { SUIDO_OIDC_ISSUER: "https://id.example.jp/?a=b" },
      blames: "SUIDO_OIDC_ISSUER",
    },
    {
      name: "a client's secret twice",
      env: {
        SUIDO_OIDC_ISSUER: "https://id.example.jp/",
        SUIDO_OIDC_CLIENT_ID: "suido",
        SUIDO_OIDC_CLIENT_SECRET: "s",
        SUIDO_OIDC_CLIENT_SECRET_FILE: "/s",
      },
      blames: "SUIDO_OIDC_CLIENT_SECRET",
    },
    {
      name: "a mail address with a line break",
      env: { SUIDO_MAIL_FROM: "a@example.jp\r\nBcc: b@example.jp" },
      blames: "SUIDO_MAIL_FROM",
    },
    {
      name: "a misspelt setting",
      env: { SUIDO_VA_LSTEN: "127.0.0.1:1" },
      blames: "SUIDO_VA_LSTEN",
    },
    {
      name: "a trust domain in capitals",
      env: { SUIDO_TRUST_DOMAIN: "Suido" },
      blames: "SUIDO_TRUST_DOMAIN",
    },
    {
      name: "a proxy that is a name",
      env: { SUIDO_TRUSTED_PROXIES: "proxy.example.jp" },
      blames: "SUIDO_TRUSTED_PROXIES",
    },
    ...[
      "http://x/%zz y",
      "http://x/%zz",
      "http://x/a|b",
      "http://薬局.jp",
      "HTTP://X",
      "http://x:80",
    ].map((url) => ({
      name: `an address that is not spelled as it is sent: ${url}`,
      env: { SUIDO_VA_URL: url },
      blames: "SUIDO_VA_URL",
    })),
    ...["-.-", "a-", ".a", "a".repeat(256)].map((domain) => ({
      name: `a trust domain that is none: ${domain.slice(0, 5)}`,
      env: { SUIDO_TRUST_DOMAIN: domain },
      blames: "SUIDO_TRUST_DOMAIN",
    })),
    ...[
      "300.1.1.1",
      "300.1.1.1/99",
      "10.0.0.0/33",
      "fd00::/129",
      "10.0.0.0/8/8",
      "10.0.0.0/",
      "::g",
    ].map((proxies) => ({
      name: `a network that is none: ${proxies}`,
      env: { SUIDO_TRUSTED_PROXIES: `192.0.2.1, ${proxies}` },
      blames: "SUIDO_TRUSTED_PROXIES",
    })),
  ])("refuses $name", ({ env, blames }) => {
    expect(faultsOf(env)).toEqual([expect.stringMatching(`^${blames} `)]);
  });

  it("takes a provider's issuer as it stands, and one by plain http on this machine", () => {
    const SUIDO_OIDC_CLIENT_ID = "suido";
    const own = { SUIDO_OIDC_ISSUER: "http://127.0.0.1:8081/realms/main", SUIDO_OIDC_CLIENT_ID };
    const hosted = { SUIDO_OIDC_ISSUER: "https://id.example.jp/", SUIDO_OIDC_CLIENT_ID };
    expect(loadConfig(hosted).signInProvider).toEqual({
      issuer: "https://id.example.jp/",
      clientId: "suido",
      clientSecret: undefined,
      clientSecretFile: undefined,
    });
    expect(loadConfig(own).signInProvider?.issuer).toBe(own.SUIDO_OIDC_ISSUER);
    expect(() => loadConfig({ ...PRODUCTION, ...own })).toThrow("SUIDO_OIDC_ISSUER");
    expect(loadConfig({}).signInProvider).toBeUndefined();
  });

  it("tells all faults at once, by name and without values", () => {
    const faults = faultsOf({
      DATABASE_URL: "secret-a",
      SUIDO_MAIL_URL: "secret-b",
      SUIDO_TZ: "secret-c",
    });
    expect(faults).toHaveLength(3);
    expect(faults.join()).not.toContain("secret");
  });

  it("takes networks, trust domains and addresses as they are spelled", () => {
    const taken = loadConfig({
      SUIDO_TRUSTED_PROXIES: "10.0.0.0/8, 192.0.2.1,fd00::/64, ::1",
      SUIDO_TRUST_DOMAIN: "a.b_c-9",
      SUIDO_VA_URL: "http://va.example.jp:8080/pki/%E8%96%AC/",
    });
    expect(taken.trustedProxies).toEqual(["10.0.0.0/8", "192.0.2.1", "fd00::/64", "::1"]);
    expect(taken.trustDomain).toBe("a.b_c-9");
    expect(taken.va.url).toBe("http://va.example.jp:8080/pki/%E8%96%AC");
  });

  it("takes a complete production environment", () => {
    expect(loadConfig(PRODUCTION)).toMatchObject({ mode: "production", kekMayBeMade: false });
  });

  it.for([
    { name: "a loopback VA address", variable: "SUIDO_VA_URL", value: "http://localhost:8080" },
    { name: "a bare IP as VA address", variable: "SUIDO_VA_URL", value: "http://192.0.2.7" },
    { name: "an https VA address", variable: "SUIDO_VA_URL", value: "https://va.example.jp" },
    { name: "a made-up key-encryption key", variable: "SUIDO_KEK_FILE", value: "" },
  ])("refuses $name in production", ({ variable, value }) => {
    expect(faultsOf({ ...PRODUCTION, [variable]: value })).toEqual([
      expect.stringContaining(variable),
    ]);
  });

  it("refuses production without a public certificate for the mTLS host", () => {
    expect(faultsOf({ ...PRODUCTION, SUIDO_MTLS_CERT: "", SUIDO_MTLS_KEY: "" })).toEqual([
      expect.stringContaining("SUIDO_MTLS_CERT"),
    ]);
  });
});
