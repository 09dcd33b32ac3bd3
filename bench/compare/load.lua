-- What `wrk` sends, and the line of figures that it ends with. Arguments:
-- the method, the bytes of content, and how many requests leave in one write.

local payload

function init(args)
  local method, size, depth = args[1], tonumber(args[2]), tonumber(args[3])
  local body = size > 0 and string.rep("x", size) or nil
  if size > 0 then wrk.headers["Content-Type"] = "text/plain" end
  local one = wrk.format(method, nil, nil, body)
  payload = string.rep(one, depth)
end

function request()
  return payload
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "figures %d %d %.0f %.0f %d\n",
    summary.requests,
    summary.duration,
    latency:percentile(50),
    latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout + errors.status
  ))
end
