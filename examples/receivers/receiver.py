"""WEBHOOK_SECRET=whsec_... PORT=8090 python3 receiver.py: takes each event once, and those of a call in their order."""
import base64, hmac, json, os, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
KEY = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"), validate=True) or exit("WEBHOOK_SECRET is missing")
effects, newest, ended, lock = {}, {}, {}, threading.Lock()  # by webhook-id; sequence by call or room; time by call
ThreadingHTTPServer.request_queue_size = 256  # Calls come in bursts.
def handle(event, source):  # Your application. When it raises, the gateway sends the event again. Queue what is slow.
    print(event["event"], source, event["sequence"], flush=True)
def genuine(id, seconds, signatures, body):
    if not (seconds.isdecimal() and abs(time.time() - int(seconds[:12])) <= 300): return False
    wanted = b"v1," + base64.b64encode(hmac.digest(KEY, f"{id}.{seconds}.".encode("latin-1") + body, "sha256"))
    return any([hmac.compare_digest(wanted, given.encode("latin-1")) for given in signatures.split(" ")])
def take(id, event, source, sequence):
    # No number is sent for the first time before all lower ones are settled: what is not newer is a repeat.
    if id in effects or sequence <= newest.get(source, 0): return
    handle(event, source)  # Before it is remembered: what fails comes again.
    effects[id], newest[source] = 1, sequence
    if event["event"] == "call.hangup": ended[source] = time.monotonic() + 600
    for call in [call for call, at in ended.items() if at < time.monotonic()]: newest.pop(call, ended.pop(call))
    for full in [known for known in (effects, newest, ended) if len(known) > 10_000]: del full[next(iter(full))]
class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # seconds, for whoever says nothing
    def do_GET(self):
        probe = self.path == "/voicegate-probe" and os.environ.get("VOICEGATE_PROBE") == "1"
        self.answer(200, json.dumps({"effects": effects})) if probe else self.answer(405 if self.path == "/" else 404)
    do_PUT = do_PATCH = do_DELETE = do_GET
    def do_POST(self):
        length = abs(int(self.headers.get("Content-Length") or 0))
        self.answer(404 if self.path != "/" else self.receive(self.rfile.read(length)) if length <= 1 << 20 else 413)
    def receive(self, body):
        signed = [self.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")]
        if not genuine(*signed, body): return 401
        try: event = json.loads(body); about = event.get("session_uuid") or event["room_id"], int(event["sequence"])
        except (ValueError, TypeError, KeyError, AttributeError): return 400
        with lock: take(signed[0], event, *about)
        return 204
    def answer(self, status, body=""):
        self.send_response(status), self.end_headers(), self.wfile.write(body.encode())
with ThreadingHTTPServer(("", int(os.environ.get("PORT", "8090"))), Receiver) as server:
    print("receiver ready", flush=True) or server.serve_forever()
