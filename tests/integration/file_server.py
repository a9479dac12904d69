#!/usr/bin/env python3
"""Serves files as the archive of VoiceBank-DEMAND does, and misbehaves as told.

Usage: file_server.py DIR

DIR/files/NAME is served as /bitstream/handle/10283/2791/NAME and, by DIR/uuids (lines of UUID NAME), as
/bitstreams/UUID/download; ranges are understood. The port is written to DIR/port, and each request to DIR/requests as
PATH RANGE STATUS. DIR/script, if there is one, holds lines of PATH ACTION [NUMBER]; the first line whose PATH begins the
path of a request is carried out, and taken out unless its ACTION ends with '!':
  drop N   send the answer's first N bytes, then close the connection
  stall    send half of the answer, then nothing more
  error N  answer with status N
  norange  answer with the whole file, whatever was asked for
  page     answer with a web page
  other    answer with other bytes of the same length
"""

import http.server
import pathlib
import re
import sys
import threading
import time

ROOT = pathlib.Path(sys.argv[1])
LOCK = threading.Lock()


def next_action(path):
    script = ROOT / "script"
    with LOCK:
        lines = script.read_text().splitlines() if script.exists() else []
        for i, line in enumerate(lines):
            start, action, *number = line.split()
            if not path.startswith(start):
                continue
            if not action.endswith("!"):
                script.write_text("".join(f"{rest}\n" for rest in lines[:i] + lines[i + 1 :]))
            return action.rstrip("!"), int(number[0]) if number else 0
    return "", 0


def file_of(path):
    match = re.fullmatch(r"/bitstreams/([^/]+)/download", path)
    if match:
        uuids = dict(line.split() for line in (ROOT / "uuids").read_text().splitlines())
        return ROOT / "files" / uuids.get(match[1], "-")
    match = re.fullmatch(r"/bitstream/handle/10283/2791/([^/?]+)\?sequence=\d+", path)
    return ROOT / "files" / (match[1] if match else "-")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def note(self, status):
        with LOCK, open(ROOT / "requests", "a", encoding="utf-8") as log:
            log.write(f"{self.path} {self.headers.get('Range', '-')} {status}\n")

    def answer(self, status, body=b"", headers=()):
        self.note(status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()

    def do_GET(self):
        action, number = next_action(self.path)
        if action == "error":
            return self.answer(number)
        if action == "page":
            body = b"<!DOCTYPE html><html>sign in first</html>"
            self.answer(200, body)
            self.wfile.write(body)
            return None
        file = file_of(self.path)
        if not file.is_file():
            return self.answer(404)
        body = file.read_bytes()
        if action == "other":
            body = bytes(255 - b for b in body)
        status, headers = 200, [("Accept-Ranges", "bytes")]
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and action != "norange":
            start = int(asked[1])
            if start >= len(body):
                return self.answer(416, b"", [("Content-Range", f"bytes */{len(body)}")])
            headers.append(("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}"))
            status, body = 206, body[start:]
        self.answer(status, body, headers)
        if action in ("drop", "stall"):
            self.wfile.write(body[: number if action == "drop" else len(body) // 2])
            self.wfile.flush()
            if action == "stall":
                time.sleep(3600)
            self.close_connection = True
            self.connection.shutdown(2)
        else:
            self.wfile.write(body)
        return None

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that hangs up


def main():
    server = Server(("127.0.0.1", 0), Handler)
    (ROOT / "port.part").write_text(str(server.server_address[1]))
    (ROOT / "port.part").rename(ROOT / "port")
    server.serve_forever()


if __name__ == "__main__":
    main()
