# What stands here in place of UniFFI's helpers is libsesame's (ADR 27).
#
# A signal's handler may raise after any call and at the head of any function or loop. So whatever the library has made is owned by an object
# of ctypes whose `__del__` is a function of C, from the moment that C gives it, and ownership passes inside one function of C.


class _UniffiRustBuffer(ctypes.Structure):
    """Bytes of the library. This class owns nothing."""

    _fields_ = [
        ("capacity", ctypes.c_uint64),
        ("len", ctypes.c_uint64),
        ("data", ctypes.POINTER(ctypes.c_char)),
    ]

    @staticmethod
    def default():
        return _UniffiRustBuffer(0, 0, None)

    def octets(self):
        return self.data[:self.len] if self.len else b""


class _UniffiOwnedBuffer(_UniffiRustBuffer):
    """Bytes of the library, freed with this object."""


class _UniffiConverterRustBuffer:
    """What crosses as bytes."""

    @classmethod
    def lift(cls, rbuf):
        return cls.lift_octets(rbuf.octets())

    @classmethod
    def lift_octets(cls, octets):
        stream = _UniffiRustBufferStream(octets)
        value = cls.read(stream)
        if stream.remaining() != 0:
            raise InternalError("bytes follow the end")
        return value

    @classmethod
    def lower(cls, value):
        builder = _UniffiRustBufferBuilder()
        cls.write(value, builder)
        return bytes(builder.data)


class _UniffiForeignBytes(ctypes.Structure):
    """Bytes of Python."""

    _fields_ = [
        ("len", ctypes.c_int32),
        ("data", ctypes.POINTER(ctypes.c_char)),
    ]


_UNIFFI_NUMBERS = {
    "i8": ">b", "u8": ">B", "i16": ">h", "u16": ">H", "i32": ">i", "u32": ">I", "i64": ">q", "u64": ">Q", "float": ">f", "double": ">d",
}


class _UniffiRustBufferStream:
    """Reads what crosses."""

    def __init__(self, data):
        self.data = data
        self.offset = 0

    def remaining(self):
        return len(self.data) - self.offset

    def read(self, size):
        if size > self.remaining():
            raise InternalError("the bytes end too early")
        self.offset += size
        return self.data[self.offset - size:self.offset]


class _UniffiRustBufferBuilder:
    """Writes what crosses, in Python's memory: the library gets a copy when it is called."""

    def __init__(self):
        self.data = bytearray()

    def write(self, value):
        self.data += value


def _uniffi_number(name, number):
    """Gives both a method for this kind of number."""
    setattr(_UniffiRustBufferStream, "read_" + name, lambda self: number.unpack(self.read(number.size))[0])
    setattr(_UniffiRustBufferBuilder, "write_" + name, lambda self, value: self.write(number.pack(value)))


for _uniffi_name, _uniffi_format in _UNIFFI_NUMBERS.items():
    _uniffi_number(_uniffi_name, struct.Struct(_uniffi_format))


# Lists that an app may give thousands of items in: one pass for each, where UniFFI calls three functions for each item.

_uniffi_length = struct.Struct(">i").pack


def _uniffi_check_u64s(values):
    for value in values:
        if type(value) is not int or not 0 <= value < 2**64:
            _UniffiFfiConverterUInt64.check_lower(value)


def _uniffi_write_u64s(values, buf):
    buf.write(struct.pack(f">i{len(values)}Q", len(values), *values))


def _uniffi_check_texts(values):
    for value in values:
        if type(value) is not str:
            _UniffiFfiConverterString.check_lower(value)


def _uniffi_write_texts(values, buf):
    _uniffi_write_octets([value.encode("utf-8") for value in values], buf)


def _uniffi_check_octets(values):
    for value in values:
        if type(value) is not bytes:
            _UniffiFfiConverterBytes.check_lower(value)


def _uniffi_write_octets(values, buf):
    parts = [_uniffi_length(len(values))]
    for value in values:
        if type(value) is not bytes:
            value = bytes(memoryview(value))
        parts += (_uniffi_length(len(value)), value)
    buf.write(b"".join(parts))


class InternalError(Exception):
    pass


class _UniffiRustCallStatus(ctypes.Structure):
    """What came of a call. This class owns nothing."""

    _fields_ = [
        ("code", ctypes.c_int8),
        ("error_buf", _UniffiRustBuffer),
    ]

    CALL_SUCCESS = 0
    CALL_ERROR = 1
    CALL_UNEXPECTED_ERROR = 2


class _UniffiOwnedStatus(_UniffiRustCallStatus):
    """What came of a call of ours, freed with this object."""


class _UniffiArgument(ctypes.Structure):
    """See `ffi/src/uniffi/python.rs`."""

    _fields_ = [
        ("free", ctypes.c_void_p),
        ("forget", ctypes.c_void_p),
        ("handle", ctypes.c_uint64),
        ("buffer", _UniffiRustBuffer),
    ]


class _UniffiArguments(ctypes.Structure):
    """The arguments of one call that the call has not taken yet, freed with this object."""

    _fields_ = [
        ("count", ctypes.c_uint64),
        ("items", _UniffiArgument * 12),
    ]

    def give(self, value):
        """What C is given for this argument."""
        kind = type(value)
        if kind is bytes:
            return _UniffiSmall.ffi_sesame_argument_bytes(self, value, len(value))
        if isinstance(value, _UniffiHandle):
            return _UniffiSmall.ffi_sesame_argument_handle(self, value.value, value.clone_address, value.free_address)
        if kind is _UniffiOptional:
            handle = value.handle
            return _UniffiSmall.ffi_sesame_argument_optional(self, handle.value, handle.clone_address, handle.free_address)
        if kind is _UniffiOfHost:
            handle = next(value.map.numbers)
            # From the first of these steps to the call Python looks for no signal.
            value.map.objects[handle] = value.object; _UniffiSmall.ffi_sesame_argument_of_host(self, handle, value.forget)
            return handle
        return value


def _uniffi_c_method(function):
    """A method that Python calls without running a step of Python's own."""
    new = ctypes.pythonapi.PyInstanceMethod_New
    new.argtypes, new.restype = (ctypes.py_object,), ctypes.py_object
    return new(function)


def _uniffi_address(function):
    return ctypes.cast(function, ctypes.c_void_p).value


def _uniffi_refused(self, *args):
    raise TypeError(
        f"a {type(self).__name__.removeprefix('_UniffiHandle')} is a handle of this process and cannot be copied or pickled: share the "
        "object itself between threads, and open the store again in another process"
    )


class _UniffiHandle(ctypes.c_uint64):
    """An object of the library, freed with this object."""

    clone_address = None
    free_address = None
    __copy__ = __deepcopy__ = __reduce__ = __reduce_ex__ = _uniffi_refused


def _uniffi_handle_type(name, clone, free):
    """The class of the handles of one kind of object."""
    free_address = _uniffi_address(free)
    prototype = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_uint64), ctypes.c_void_p)
    drop = prototype(("ffi_sesame_handle_drop", _UniffiLib), ((1, "handle"), (1, "free", free_address)))
    members = {"clone_address": _uniffi_address(clone), "free_address": free_address, "__del__": _uniffi_c_method(drop)}
    return type("_UniffiHandle" + name, (_UniffiHandle,), members)


def _uniffi_optional_type(name, handle):
    """The class of what a call gives that gives one of these handles or none."""
    prototype = ctypes.CFUNCTYPE(None, ctypes.POINTER(_UniffiRustBuffer), ctypes.c_void_p)
    drop = prototype(("ffi_sesame_optional_drop", _UniffiLib), ((1, "buffer"), (1, "free", handle.free_address)))
    take = ctypes.CFUNCTYPE(handle, ctypes.POINTER(_UniffiRustBuffer))(("ffi_sesame_optional_take", _UniffiLib))
    members = {"take": _uniffi_c_method(take), "__del__": _uniffi_c_method(drop)}
    return type("_UniffiOptional" + name, (_UniffiRustBuffer,), members)


class _UniffiOptional:
    """A handle for a call that takes one or none."""

    def __init__(self, handle):
        self.handle = handle


class _UniffiOfHost:
    """An object of Python that the library is given: the map that gives it a number, and the function that takes the number back."""

    def __init__(self, map, object, forget):
        self.map = map
        self.object = object
        self.forget = forget


class _UniffiInterrupts(threading.local):
    """What a signal's handler raised inside a callback in this thread. It goes on when the call that the callback was part of has ended."""

    pending = None


_uniffi_interrupts = _UniffiInterrupts()
_uniffi_callbacks = []


def _uniffi_callback(function):
    """Notes a function that the library calls."""
    _uniffi_callbacks.append(function)
    return function


def _uniffi_keep_interrupts():
    """Keeps what a signal's handler raises at the head of a callback, where nothing can catch it: ctypes gives it to `sys.unraisablehook`."""
    before = sys.unraisablehook

    def hook(unraisable):
        if any(unraisable.object is function for function in _uniffi_callbacks):
            _uniffi_interrupts.pending = unraisable.exc_value
        else:
            before(unraisable)

    sys.unraisablehook = hook


def _uniffi_rust_call_with_error(error_ffi_converter, fn, *args):
    arguments = _UniffiArguments()
    given = [arguments.give(value) for value in args]
    status = _UniffiOwnedStatus()
    given.append(ctypes.byref(status))
    # From the first of these steps to the call Python looks for no signal: the call takes all arguments, or none.
    arguments.count = 0; result = fn(*given)
    pending = _uniffi_interrupts.pending
    if pending is not None:
        _uniffi_interrupts.pending = None
        raise pending
    if status.code != _UniffiRustCallStatus.CALL_SUCCESS:
        _uniffi_raise(error_ffi_converter, status)
    return result


def _uniffi_raise(error_ffi_converter, status):
    octets = status.error_buf.octets()
    if status.code == _UniffiRustCallStatus.CALL_ERROR and error_ffi_converter is not None:
        raise error_ffi_converter.lift_octets(octets)
    raise InternalError(octets.decode("utf-8", "replace") or "Unknown rust panic")


def _uniffi_return(out, value):
    """Gives the library what a method of Python's has returned."""
    kind = type(value)
    if kind is bytes:
        _UniffiSmall.ffi_sesame_buffer_give(out, value, len(value))
    elif kind is _UniffiOfHost:
        handle = next(value.map.numbers)
        # Between these steps Python looks for no signal.
        value.map.objects[handle] = value.object; out[0] = handle
    else:
        out[0] = value


def _uniffi_trait_interface_call_with_error(call_status, make_call, write_return_value, error_type, lower_error):
    # The library takes it that the method has not run until the first step says that it may have. An app's faults are `error_type`, by the
    # package; whatever else is raised comes from a signal's handler.
    try:
        call_status.code = _UniffiRustCallStatus.CALL_UNEXPECTED_ERROR
        try:
            write_return_value(make_call())
        except error_type as e:
            octets = lower_error(e)
            _UniffiSmall.ffi_sesame_status_give(ctypes.byref(call_status), True, octets, len(octets))
        else:
            call_status.code = _UniffiRustCallStatus.CALL_SUCCESS
    except BaseException as e:
        _uniffi_interrupts.pending = e


class _UniffiHandleMap:
    """Objects of Python by the numbers under which the library knows them. It has no lock: a finalizer may come in at any step."""

    def __init__(self):
        self.objects = {}
        # Odd, by which the library's own handles are told from these.
        self.numbers = itertools.count(1, 2)

    def insert(self, obj):
        handle = next(self.numbers)
        self.objects[handle] = obj
        return handle

    def get(self, handle):
        return self.objects[handle]

    def clone(self, handle):
        return self.insert(self.objects[handle])

    def remove(self, handle):
        return self.objects.pop(handle)

    def __len__(self):
        return len(self.objects)


