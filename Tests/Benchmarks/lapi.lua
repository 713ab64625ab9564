-- For wrk: what clients ask of a Local API.   env: MODE alerts|lookups|deltas, TOKEN, KEY, FROM (number of the first alert)
--
-- alerts: one ssh-bf alert of six events in each request, every time about another address, as an agent posts it.
-- lookups: GET /v1/decisions?ip=, half of them about addresses that lapi.py has banned.
-- deltas: GET /v1/decisions/stream.
local mode = os.getenv("MODE")
local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local count, head = 0, ""

local function alert_head()
  local meta = {}
  for _, pair in ipairs({ { "datasource_path", "/var/log/auth.log" }, { "datasource_type", "file" },
    { "log_type", "ssh_failed-auth" }, { "machine", "web01" }, { "service", "ssh" }, { "source_ip", "203.0.113.9" },
    { "target_user", "root" }, { "timestamp", "2026-11-21T08:17:29Z" } }) do
    meta[#meta + 1] = '{"key":"' .. pair[1] .. '","value":"' .. pair[2] .. '"}'
  end
  local event = '{"meta":[' .. table.concat(meta, ",") .. '],"timestamp":"2026-11-21T08:17:29Z"}'
  local now = os.date("!%Y-%m-%dT%H:%M:%SZ")
  return '[{"capacity":5,"decisions":null,"events":[' .. string.rep(event .. ",", 5) .. event .. '],"events_count":6,'
    .. '"labels":null,"leakspeed":"10s","message":"six failed logins","remediation":true,"scenario":"bench/ssh-bf",'
    .. '"scenario_hash":"4441dcff07020f6690d998b7101e642359ba405c2abb83565bbbdcee36de280f","scenario_version":"0.1",'
    .. '"simulated":false,"start_at":"' .. now .. '","stop_at":"' .. now
    .. '","source":{"scope":"Ip","as_name":"EXAMPLE","as_number":"64500","cn":"FR",'
end

function init()
  wrk.headers["User-Agent"] = mode == "alerts" and "crowdsec/v1.4.6-bench" or "bench/1"
  if mode == "alerts" then
    wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
    head = alert_head()
  else
    wrk.headers["X-Api-Key"] = os.getenv("KEY")
  end
end

-- The same addresses as lapi.py has.
local function address(n)
  n = (n * 2654435761) % 3355443200
  return string.format("%d.%d.%d.%d", math.floor(n / 16777216) + 11, math.floor(n / 65536) % 256,
    math.floor(n / 256) % 256, n % 256)
end

function request()
  count = count + 1
  if mode == "deltas" then return wrk.format("GET", "/v1/decisions/stream") end
  if mode == "lookups" then
    local ip = address(count % 10000)
    if count % 2 == 0 then ip = ip:gsub("^%d+", "250") end
    return wrk.format("GET", "/v1/decisions?ip=" .. ip)
  end
  local ip = address(1000000 + tonumber(os.getenv("FROM")) + number * 5000000 + count)
  return wrk.format("POST", "/v1/alerts", nil, head .. '"ip":"' .. ip .. '","value":"' .. ip .. '"}}]')
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format("%d %.3f %d %.2f %.2f", summary.requests, summary.duration / 1e6,
    errors.status + errors.read + errors.write + errors.timeout + errors.connect, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000))
end
