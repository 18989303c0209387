"""A stand-in of the services that Odoo's own modules send through, on loopback.

It accepts everything that Odoo's SMS service and Twilio are asked for.

    python benchmarks/standin.py [SECONDS]

prints its address; SECONDS is how long each answer takes.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

DELAY = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(DELAY)
        if self.path.endswith("/Messages.json"):
            to = parse_qs(body.decode())["To"][0]
            answer = {"sid": f"SM{to.strip('+')}", "status": "queued", "to": to}
        else:
            answer = {"result": accept(json.loads(body)["params"]["messages"])}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


def accept(messages):
    return [
        {"uuid": number["uuid"], "state": "success", "credit": 1}
        for message in messages
        for number in message["numbers"]
    ]


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
