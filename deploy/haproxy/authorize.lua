-- Asks Suido for each request whether its client may pass. Used by recommended.cfg, which says what this costs and sets
-- the two names of the environment that are read here, once, at the start. HAProxy 2.6 or later (core.httpclient).
local address = os.getenv("SUIDO_AUTHORIZE")
local key = assert(io.open(os.getenv("SUIDO_KEY_FILE"))):read("l")

-- HAProxy tries a call four times, whether it cannot connect (a second apart) or gets no answer: three seconds either way.
-- After that Suido is asked again only when the pause is over. Milliseconds, and seconds.
local TIMEOUT = 750
local PAUSE = 5
local asked_again_at = 0

-- Sets txn.suido to "allowed", to "away", or to the help page of who is refused.
core.register_action("suido_authorize", { "http-req" }, function(txn)
  local now = core.now().sec
  if now < asked_again_at then
    txn:set_var("txn.suido", "away")
    return
  end
  local der = txn.f:ssl_c_der()
  local answer = core.httpclient():get{
    url = "http://" .. address .. "/v1/authorize",
    headers = {
      authorization = { "Bearer " .. key },
      ["x-ssl-client-der"] = { der and txn.c:base64(der) or "" },
    },
    timeout = TIMEOUT,
  }
  if answer.status == 200 then
    for name, values in pairs(answer.headers) do
      if name:sub(1, 6) == "suido-" then txn.http:req_set_header(name, values[0]) end
    end
    txn:set_var("txn.suido", "allowed")
  elseif answer.status >= 500 or answer.status == 0 then
    asked_again_at = now + PAUSE
    txn:set_var("txn.suido", "away")
  else
    -- The page that Suido names.
    local help = answer.headers["suido-help"]
    txn:set_var("txn.suido", help and help[0]:match("[?]reason=(%l+)") or "other")
  end
end, 0)
