"""Something on the way between a client and a Bro-Buddy, which does it well or badly."""

import contextlib
import enum
import http.client
import http.server
import threading
import urllib.parse
import zlib

PATIENCE = 60  # seconds
OF_THIS_HOP = ("connection", "host", "keep-alive", "transfer-encoding")


class Manner(enum.Enum):
    PASSES_ON = "each piece goes on as it comes"
    HOLDS_BACK = "a response goes on when it is complete"
    COMPRESSES = "a response goes on compressed, for those who take that"
    LETS_ANYBODY_IN = "a request without a key gets one on the way"


@contextlib.contextmanager
def proxy(origin, manner, key=None):
    """The URL of a proxy in front of `origin`."""
    target = urllib.parse.urlsplit(origin)

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_one_exchange(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in OF_THIS_HOP}
            if manner is Manner.LETS_ANYBODY_IN:
                headers["x-api-key"] = key
            connection = http.client.HTTPConnection(target.hostname, target.port, timeout=PATIENCE)
            with contextlib.closing(connection):
                connection.request(self.command, self.path, body or None, headers)
                self.hand_on(connection.getresponse())

        def hand_on(self, response):
            self.send_response_only(response.status)
            for name, value in response.getheaders():
                if name.lower() not in OF_THIS_HOP:
                    self.send_header(name, value)
            squeezes = manner is Manner.COMPRESSES and "gzip" in self.headers.get("accept-encoding", "")
            if squeezes and "content-length" not in response.headers:
                self.send_header("content-encoding", "gzip")
                gzip = zlib.compressobj(wbits=31)
                pieces = [gzip.compress(response.read()) + gzip.flush()]
            elif manner is Manner.HOLDS_BACK:
                pieces = [response.read()]
            else:
                pieces = iter(lambda: response.read1(65536), b"")
            self.end_headers()
            for piece in pieces:
                self.wfile.write(piece)

        def log_message(self, *_):
            pass

        do_GET = do_POST = handle_one_exchange

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
