
# The functions of `ffi/src/uniffi/python.rs`. Those that do next to nothing keep the interpreter's lock.
_UniffiSmall = ctypes.PyDLL(_UniffiLib._name)
for _uniffi_name, _uniffi_result, _uniffi_types in (
    ("argument_bytes", _UniffiRustBuffer, (ctypes.POINTER(_UniffiArguments), ctypes.c_char_p, ctypes.c_uint64)),
    ("argument_handle", ctypes.c_uint64, (ctypes.POINTER(_UniffiArguments), ctypes.c_uint64, ctypes.c_void_p, ctypes.c_void_p)),
    (
        "argument_optional",
        _UniffiRustBuffer,
        (ctypes.POINTER(_UniffiArguments), ctypes.c_uint64, ctypes.c_void_p, ctypes.c_void_p),
    ),
    ("argument_of_host", ctypes.c_uint64, (ctypes.POINTER(_UniffiArguments), ctypes.c_uint64, ctypes.c_void_p)),
    ("buffer_drop", None, (ctypes.POINTER(_UniffiRustBuffer),)),
    ("buffer_give", None, (ctypes.POINTER(_UniffiRustBuffer), ctypes.c_char_p, ctypes.c_uint64)),
    ("status_drop", None, (ctypes.POINTER(_UniffiRustCallStatus),)),
    ("status_give", None, (ctypes.POINTER(_UniffiRustCallStatus), ctypes.c_bool, ctypes.c_char_p, ctypes.c_uint64)),
):
    _uniffi_function = getattr(_UniffiSmall, "ffi_sesame_" + _uniffi_name)
    _uniffi_function.restype, _uniffi_function.argtypes = _uniffi_result, _uniffi_types
_UniffiLib.ffi_sesame_arguments_drop.restype = None
_UniffiLib.ffi_sesame_arguments_drop.argtypes = (ctypes.POINTER(_UniffiArguments),)
_UniffiOwnedBuffer.__del__ = _uniffi_c_method(_UniffiSmall.ffi_sesame_buffer_drop)
_UniffiOwnedStatus.__del__ = _uniffi_c_method(_UniffiSmall.ffi_sesame_status_drop)
_UniffiArguments.__del__ = _uniffi_c_method(_UniffiLib.ffi_sesame_arguments_drop)
