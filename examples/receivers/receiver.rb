# WEBHOOK_SECRET=whsec_... PORT=8090 ruby receiver.rb: takes each event once, and those of a call in their order.
%w[json openssl socket timeout].each { |library| require library }
KEY = ENV.fetch("WEBHOOK_SECRET").delete_prefix("whsec_").unpack1("m0").then { |key| key.empty? ? abort("no secret") : key }
EFFECTS, NEWEST, ENDED, LOCK = {}, {}, {}, Mutex.new # by webhook-id; sequence by call or room; time by call
def handle(event, source) = puts(event.inspect) # Your application. What it raises is answered 500, and comes again.
def genuine?(id, seconds, signatures, body)
  wanted = "v1,#{[OpenSSL::HMAC.digest("SHA256", KEY, "#{id}.#{seconds}.#{body}")].pack("m0")}"
  return false unless /\A\d{1,12}\z/.match?(seconds) && (Time.now.to_i - seconds.to_i).abs <= 300
  signatures.to_s.split.any? { |given| OpenSSL.secure_compare(wanted, given) }
end
def take(id, event, source, sequence)
  # No number is sent for the first time before all lower ones are settled: what is not newer is a repeat.
  return if EFFECTS.key?(id) || sequence <= NEWEST.fetch(source, 0)
  handle(event, source) # Before it is remembered: what fails comes again.
  EFFECTS[id], NEWEST[source] = 1, sequence
  ENDED[source] = Time.now if event["event"] == "call.hangup"
  ENDED.select { |_, at| at < Time.now - 600 }.each_key { |call| [ENDED, NEWEST].each { |known| known.delete(call) } }
  [EFFECTS, NEWEST, ENDED].each { |known| known.shift if known.size > 10_000 }
end
def answer(socket)
  (verb, path), *fields = socket.gets("\r\n\r\n", 65_536).lines.map { |line| line.split(/: ?| /, 2) }
  head = fields.to_h { |name, value| [name.downcase, value.to_s.strip] }
  return 200, JSON.dump(effects: EFFECTS) if path.start_with?("/voicegate-probe ") && ENV["VOICEGATE_PROBE"] == "1"
  return path.start_with?("/ ") ? 405 : 404 unless path.start_with?("/ ") && verb == "POST"
  return 413 if (size = head["content-length"].to_i.abs) > 1 << 20
  signed, body = head.values_at("webhook-id", "webhook-timestamp", "webhook-signature"), socket.read(size)
  return 401 unless genuine?(*signed, body)
  event = JSON.parse(body) rescue nil
  about = event.values_at("session_uuid", "room_id", "sequence").compact if event.is_a?(Hash)
  return 400 unless about in [String, Integer]
  LOCK.synchronize { take(signed.first, event, *about) }
  204
end
def serve(socket)
  status, text = Timeout.timeout(10) { answer(socket) } rescue (warn $!; 500)
  socket.write("HTTP/1.1 #{status} -\r\nContent-Length: #{text.to_s.bytesize}\r\nConnection: close\r\n\r\n#{text}")
ensure socket.close
end
server, $stdout.sync = TCPServer.new(ENV.fetch("PORT", "8090").to_i), warn("receiver ready").nil?
loop { Thread.new(server.accept) { |socket| serve(socket) } }
