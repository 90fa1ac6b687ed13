from .sesame_ffi import *  # NOQA
