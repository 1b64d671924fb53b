"""libstrata.so for the interop tests: the public interface by ctypes, as small as the tests need it."""
import ctypes
import os
import pathlib

ROOT = pathlib.Path(os.environ.get("STRATA_ROOT") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("STRATA_BUILD") or ROOT / "build")

SECOND = 1_000_000_000
FOREVER = -1
TEXT, NUMBER, POINTER, LENGTH, UNSIGNED = (ctypes.c_char_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_size_t,
                                           ctypes.c_uint)


class Options(ctypes.Structure):
    _fields_ = [("link", TEXT), ("address", TEXT), ("address6", TEXT), ("gateway", TEXT), ("gateway6", TEXT),
                ("dns", TEXT), ("mac", TEXT), ("pcap", TEXT), ("seed", ctypes.c_uint64), ("machine", TEXT),
                ("beside", POINTER), ("drive_self", ctypes.c_bool), ("connections", ctypes.c_uint32),
                ("linger", NUMBER), ("ecn", ctypes.c_int)]


class Address(ctypes.Structure):
    _fields_ = [("ip", ctypes.c_uint8 * 16), ("port", ctypes.c_uint16)]

    def __str__(self):
        out = ctypes.create_string_buffer(64)
        lib().strata_address_format(ctypes.byref(self), out)
        return out.value.decode()


class Info(ctypes.Structure):
    _fields_ = [("local", Address), ("remote", Address), ("state", TEXT), ("wait", TEXT), ("rtt", NUMBER),
                ("rtt_var", NUMBER), ("rto", NUMBER), ("congestion_window", ctypes.c_uint32),
                ("slow_start_threshold", ctypes.c_uint32), ("in_flight", ctypes.c_uint32),
                ("send_window", ctypes.c_uint32), ("receive_window", ctypes.c_uint32), ("mss", ctypes.c_uint32),
                ("timestamps", ctypes.c_bool), ("sack", ctypes.c_bool), ("bytes_sent", ctypes.c_uint64),
                ("bytes_acked", ctypes.c_uint64), ("bytes_received", ctypes.c_uint64),
                ("bytes_retransmitted", ctypes.c_uint64), ("segments_sent", ctypes.c_uint64),
                ("segments_received", ctypes.c_uint64), ("retransmits", ctypes.c_uint64),
                ("timeouts", ctypes.c_uint64), ("unread", ctypes.c_uint32), ("unsent", ctypes.c_uint32),
                ("unacked", ctypes.c_uint32), ("ecn", ctypes.c_bool), ("ecn_accurate", ctypes.c_bool),
                ("ce_received", ctypes.c_uint32), ("ce_delivered", ctypes.c_uint32), ("trouble", ctypes.c_int),
                ("path_mtu", ctypes.c_uint32), ("mtu_probes", ctypes.c_uint32), ("black_holes", ctypes.c_uint32),
                ("user_timeout", NUMBER), ("peer_timeout", NUMBER)]


class Counters(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in (
        "frames_in", "bytes_in", "frames_out", "bytes_out", "segments_in", "segments_out", "dropped_in",
        "dropped_out", "retransmits")]


class PingOptions(ctypes.Structure):
    _fields_ = [("size", LENGTH), ("hop_limit", ctypes.c_uint8), ("dont_fragment", ctypes.c_bool),
                ("timeout", NUMBER), ("sequence", ctypes.c_uint16)]


class PingReply(ctypes.Structure):
    _fields_ = [("source", Address), ("round_trip", NUMBER), ("size", LENGTH), ("hop_limit", ctypes.c_uint8)]


class HttpOptions(ctypes.Structure):
    _fields_ = [("method", TEXT), ("field", POINTER), ("fields", UNSIGNED), ("timeout", NUMBER),
                ("content_max", LENGTH), ("redirects", UNSIGNED)]


class Field(ctypes.Structure):
    _fields_ = [("name", TEXT), ("value", TEXT)]


class Response(ctypes.Structure):
    _fields_ = [("status", UNSIGNED), ("reason", TEXT), ("url", TEXT), ("redirects", UNSIGNED),
                ("server", Address), ("field", ctypes.POINTER(Field)), ("fields", UNSIGNED),
                ("content", POINTER), ("content_len", LENGTH)]


SIGNATURES = {
    "strata_open": (POINTER, [ctypes.POINTER(Options)]),
    "strata_net_close": (None, [POINTER]),
    "strata_now": (NUMBER, [POINTER]),
    "strata_counters": (ctypes.c_int, [POINTER, ctypes.POINTER(Counters)]),
    "strata_drop_reason": (TEXT, [POINTER, UNSIGNED, ctypes.POINTER(ctypes.c_uint64)]),
    "strata_address_parse": (ctypes.c_bool, [TEXT, ctypes.POINTER(Address)]),
    "strata_address_format": (LENGTH, [ctypes.POINTER(Address), ctypes.c_char_p]),
    "strata_error": (ctypes.c_int, []),
    "strata_error_name": (TEXT, [ctypes.c_int]),
    "strata_error_message": (TEXT, []),
    "strata_listen": (POINTER, [POINTER, TEXT]),
    "strata_accept": (POINTER, [POINTER]),
    "strata_listener_close": (None, [POINTER]),
    "strata_listener_address": (ctypes.c_int, [POINTER, ctypes.POINTER(Address)]),
    "strata_listener_set_timeout": (None, [POINTER, NUMBER]),
    "strata_connect": (POINTER, [POINTER, TEXT, NUMBER]),
    "strata_connect_start": (POINTER, [POINTER, TEXT]),
    "strata_drive": (ctypes.c_int, [POINTER, NUMBER]),
    "strata_fd": (ctypes.c_int, [POINTER]),
    "strata_read": (ctypes.c_ssize_t, [POINTER, ctypes.c_void_p, LENGTH]),
    "strata_write": (ctypes.c_ssize_t, [POINTER, TEXT, LENGTH]),
    "strata_write_all": (ctypes.c_int, [POINTER, TEXT, LENGTH]),
    "strata_shutdown": (ctypes.c_int, [POINTER]),
    "strata_flush": (ctypes.c_int, [POINTER]),
    "strata_stream_close": (None, [POINTER]),
    "strata_stream_abort": (None, [POINTER]),
    "strata_stream_set_timeout": (None, [POINTER, NUMBER]),
    "strata_stream_info": (ctypes.c_int, [POINTER, ctypes.POINTER(Info)]),
    "strata_udp_open": (POINTER, [POINTER, TEXT]),
    "strata_udp_close": (None, [POINTER]),
    "strata_udp_set_timeout": (None, [POINTER, NUMBER]),
    "strata_send_to": (ctypes.c_ssize_t, [POINTER, TEXT, LENGTH, ctypes.POINTER(Address)]),
    "strata_recv_from": (ctypes.c_ssize_t, [POINTER, ctypes.c_void_p, LENGTH, ctypes.POINTER(Address)]),
    "strata_dns_resolve": (ctypes.c_int, [POINTER, TEXT, ctypes.POINTER(Address), UNSIGNED, NUMBER]),
    "strata_http_get": (ctypes.POINTER(Response), [POINTER, TEXT, ctypes.POINTER(HttpOptions)]),
    "strata_http_field": (TEXT, [ctypes.POINTER(Response), TEXT]),
    "strata_http_free": (None, [ctypes.POINTER(Response)]),
    "strata_ping": (ctypes.c_int, [POINTER, TEXT, ctypes.POINTER(PingOptions), ctypes.POINTER(PingReply)]),
}
loaded = None


def lib():
    """The library, loaded at first use, so that a test can enter its namespace before."""
    global loaded
    if loaded is None:
        loaded = ctypes.CDLL(str(BUILD / "libstrata.so"))
        for name, (result, arguments) in SIGNATURES.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
    return loaded


class Error(Exception):
    """A call that failed: `name` as in the headers, without STRATA_E_."""

    def __init__(self):
        self.name = lib().strata_error_name(lib().strata_error()).decode()
        super().__init__(f"{self.name}: {lib().strata_error_message().decode()}")


def checked(value):
    """A handle or number; an exception for NULL and negative numbers."""
    if value is None or value < 0:
        raise Error
    return value


def text(value):
    return None if value is None else str(value).encode()


class Stream:
    def __init__(self, handle):
        self.handle = checked(handle)

    def read(self, size=65536):
        buffer = ctypes.create_string_buffer(size)
        got = checked(lib().strata_read(self.handle, buffer, size))
        return ctypes.string_at(buffer, got)

    def read_to_end(self):
        pieces = []
        while piece := self.read():
            pieces.append(piece)
        return b"".join(pieces)

    def write(self, data):
        checked(lib().strata_write_all(self.handle, data, len(data)))

    def shutdown(self):
        checked(lib().strata_shutdown(self.handle))

    def flush(self):
        checked(lib().strata_flush(self.handle))

    def limit(self, seconds):
        lib().strata_stream_set_timeout(self.handle, int(seconds * SECOND))

    def info(self):
        info = Info()
        checked(lib().strata_stream_info(self.handle, ctypes.byref(info)))
        return info

    def close(self):
        lib().strata_stream_close(self.handle)

    def abort(self):
        lib().strata_stream_abort(self.handle)


class Listener:
    def __init__(self, handle):
        self.handle = checked(handle)

    def accept(self, seconds=20):
        lib().strata_listener_set_timeout(self.handle, int(seconds * SECOND))
        return Stream(lib().strata_accept(self.handle))

    def close(self):
        lib().strata_listener_close(self.handle)


class Udp:
    def __init__(self, handle):
        self.handle = checked(handle)

    def send(self, data, to):
        address = Address()
        assert lib().strata_address_parse(text(to), ctypes.byref(address)), to
        return checked(lib().strata_send_to(self.handle, data, len(data), ctypes.byref(address)))

    def receive(self, size=65536, seconds=20):
        lib().strata_udp_set_timeout(self.handle, int(seconds * SECOND))
        buffer, source = ctypes.create_string_buffer(size), Address()
        got = checked(lib().strata_recv_from(self.handle, buffer, size, ctypes.byref(source)))
        return ctypes.string_at(buffer, got), str(source)

    def close(self):
        lib().strata_udp_close(self.handle)


class Net:
    """A net; keywords are the members of strata_options."""

    def __init__(self, **options):
        values = {name: text(value) if isinstance(value, (str, pathlib.Path)) else value
                  for name, value in options.items()}
        self.handle = checked(lib().strata_open(ctypes.byref(Options(**values))))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        if self.handle:
            lib().strata_net_close(self.handle)
        self.handle = None

    def listen(self, where):
        return Listener(lib().strata_listen(self.handle, text(where)))

    def connect(self, where, seconds=20):
        return Stream(lib().strata_connect(self.handle, text(where), int(seconds * SECOND)))

    def udp(self, where):
        return Udp(lib().strata_udp_open(self.handle, text(where)))

    def resolve(self, name, seconds=20):
        found = (Address * 16)()
        count = checked(lib().strata_dns_resolve(self.handle, text(name), found, 16, seconds * SECOND))
        return [str(address) for address in found[:count]]

    def ping(self, host, **options):
        reply = PingReply()
        checked(-abs(lib().strata_ping(self.handle, text(host), ctypes.byref(PingOptions(**options)),
                                       ctypes.byref(reply))))
        return reply

    def get(self, url, seconds=60, **options):
        """Status, fields and content of a page."""
        options = HttpOptions(timeout=seconds * SECOND, **options)
        page = lib().strata_http_get(self.handle, text(url), ctypes.byref(options))
        if not page:
            raise Error
        response = page.contents
        fields = {response.field[i].name.decode().lower(): response.field[i].value.decode()
                  for i in range(response.fields)}
        result = response.status, fields, ctypes.string_at(response.content, response.content_len)
        lib().strata_http_free(page)
        return result

    def counters(self):
        counters = Counters()
        checked(lib().strata_counters(self.handle, ctypes.byref(counters)))
        return counters

    def drops(self):
        """Why frames were dropped, and how often."""
        found, count, index = {}, ctypes.c_uint64(), 0
        while reason := lib().strata_drop_reason(self.handle, index, ctypes.byref(count)):
            if count.value:
                found[reason.decode()] = count.value
            index += 1
        return found
