"""Compiled kernels without the compiler: machine code is made once, kept on disk and called directly.

Importing numba and loading its own cache takes a second or two, more than the search itself. So numba is asked for the
code of the kernels only when this machine has none yet (ten to thirty seconds). From then on llvmlite, a fraction of
numba, links the object file, and ctypes calls it with the interpreter lock released.
"""

import ctypes
import hashlib
from functools import cache
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import llvmlite  # type: ignore[import-untyped]
import llvmlite.binding as llvm  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from curator.cache import cache_folder, read_cached, write_cached
from curator.dedup.unicode_table import TABLE_SIZE

# The functions that are called from Python; whatever else they need is linked into them.
ENTRIES = {
    "buckets": ("find_first_equal", "list_repeats", "chain_rows", "pair_meetings", "list_oversize"),
    "clustering": ("cover_nodes", "join_components"),
    "joining": ("count_shingles", "find_common", "list_prefixes", "list_shingles", "merge_labels", "pair_postings"),
    "probing": ("probe_buckets",),
    "sha1": ("sketch_sha1",),
    "signing": ("sign_texts",),
    "verify": ("measure_pairs",),
}

_PREFIX = "curator_"
_TABLE_BYTES = 4 * TABLE_SIZE


class Kernels:
    """The loaded machine code: `call("sign_texts", ...)` runs a kernel."""

    def __init__(self, table: NDArray[np.uint32], code: bytes) -> None:
        self.table = table
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine())
        self._engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        self._functions: dict[str, Any] = {}
        for name in (name for names in ENTRIES.values() for name in names):
            address = self._engine.get_function_address(_PREFIX + name)
            self._functions[name] = ctypes.CFUNCTYPE(ctypes.c_int32)(address)

    def call(self, name: str, *arguments: NDArray[Any] | float) -> int:
        """Run a kernel and return its result (0 if it has none); arrays are passed by their address."""
        result = ctypes.c_int64(0)
        failure = ctypes.c_void_p(None)
        self._functions[name](ctypes.byref(result), ctypes.byref(failure), *map(_to_c, arguments))
        return result.value


def _to_c(value: NDArray[Any] | float) -> Any:
    if isinstance(value, np.ndarray):
        return ctypes.c_void_p(value.ctypes.data)
    return ctypes.c_double(value) if isinstance(value, float) else ctypes.c_int64(value)


@cache
def load_kernels() -> Kernels:
    """Return the kernels, from disk or freshly compiled. Safe to call from several processes at once."""
    path = kernel_path()
    stored = read_cached(path)
    if stored is None:
        from curator.dedup.unicode_table import build_table

        stored = build_table().tobytes() + compile_kernels()
        write_cached(path, stored)
    table = np.frombuffer(stored, dtype=np.uint32, count=TABLE_SIZE)
    return Kernels(table, stored[_TABLE_BYTES:])


def are_compiled() -> bool:
    """Return whether the kernels lie on disk for this version and processor."""
    return kernel_path().is_file()


@cache
def kernel_path() -> Path:
    """Return where the machine code is kept: one file a version of the kernels, of LLVM and of the processor."""
    digest = hashlib.sha256()
    package = resources.files("curator.dedup")
    sources = [
        package / name
        for name in ("bands.py", "clusters.py", "hashing.py", "native.py", "normalize.py", "unicode_table.py")
    ]
    sources += sorted((package / "kernels").iterdir(), key=lambda entry: entry.name)
    for source in sources:
        if source.name.endswith(".py") and source.name != "simd_plain.py":
            digest.update(source.read_bytes())
    host = f"{llvmlite.__version__} {llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"
    digest.update(host.encode())
    return cache_folder() / f"dedup-{digest.hexdigest()[:24]}.kernels"


def _target_machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features().flatten()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=3, jit=True
    )


def compile_kernels() -> bytes:
    """Return the kernels as an object file for this processor; imports numba."""
    linked = llvm.parse_assembly("")
    for module, names in ENTRIES.items():
        kernels = import_module(f"curator.dedup.kernels.{module}")
        for name in names:
            linked.link_in(_compile_entry(getattr(kernels, name), _PREFIX + name))
    _keep_only_entries(linked)
    return bytes(_target_machine().emit_object(linked))


def _compile_entry(dispatcher: Any, symbol: str) -> Any:
    """Return the LLVM module of one kernel, with its function named `symbol`."""
    from curator.dedup.kernels.pointers import numba_signature

    signature = numba_signature(dispatcher.py_func)
    dispatcher.compile(signature)
    module = llvm.parse_assembly(dispatcher.inspect_llvm(signature))
    compiled = dispatcher.overloads[signature].fndesc.llvm_func_name
    module.get_function(compiled).name = symbol
    return module


def _keep_only_entries(module: Any) -> None:
    """Drop what is not reachable from the entries: wrappers for Python objects and their symbols."""
    for function in module.functions:
        if not function.is_declaration and not function.name.startswith(_PREFIX):
            function.linkage = "internal"
    machine = _target_machine()
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3)))
