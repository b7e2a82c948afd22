"""Values: what a function may return instead of an array. Each costs its exercise and nothing else."""

from tests.abuse import Kind
from tests.abuse.harm import every

values = Kind("values", earns={"relu": 0})

RETURNED = {
    "nan": "np.full(np.shape(x), np.nan)",
    "infinity": "np.full(np.shape(x), np.inf)",
    "objects": "np.full(np.shape(x), None, object)",
    "masked_array": "np.ma.masked_array(x, mask=True)",
    "iterator": "(each for each in x)",
    "map": "map(abs, x)",
    "recursive_list": "(lambda held: (held.append(held), held)[1])([])",
    "recursive_dictionary": "(lambda held: (held.update(a=held), held)[1])({})",
    "very_large_integer": "10**1000",
    "large_integer": "2**70",
    "huge_integer": "1 << 10**7",
    "long_text": "'x' * 6 * 10**7",
    "deep_list": "__import__('functools').reduce(lambda inner, _: [inner], range(10**5), 0)",
    "long_list": "[0.0] * 2 * 10**5",
    "rng": "__import__('grader.wire', fromlist=['x']).Rng(5)",
    "complex_numbers": "np.asarray(x) * 1j",
    "structured_array": "np.zeros(np.shape(x), dtype=[('a', 'f8')])",
    "dates": "np.full(np.shape(x), '2020-01-01', 'M8[D]')",
    "matrix": "np.matrix(np.atleast_2d(np.ravel(x)))",
    "memory_view": "memoryview(np.ascontiguousarray(x))",
    "nothing": "None",
    "texts": "np.full(np.shape(x), 'a')",
    "sign_lost": "np.abs(np.asarray(x).astype(np.longdouble))",
    "dictionary": "{(1, 2): x, None: x}",
    "lone_surrogate": "'\\ud800'",
    "32_axes": "np.empty((0,) * 32)",
    "function": "relu",
    "class": "np.ndarray",
    "module": "np",
    "ctypes_array": "(__import__('ctypes').c_double * 4)()",
    "overflowed_scalar": "np.float64(1e308) * 10",
    "empty_and_wide": "np.empty((0, 2**40))",
    "minus_zero": "-0.0",
    "half_precision": "np.asarray(x).astype(np.float16)",
    "boolean": "True",
    "list_of_nan": "[float('nan')] * 5",
    "scalar_nan": "float('nan')",
    "unsigned_64_bits": "np.uint64(2**64 - 1)",
    "bytes": "np.maximum(x, 0).tobytes()",
    "set": "{1.0, 2.0}",
    "broadcast_to_terabytes": "np.broadcast_to(np.float64(0), (2**20, 2**20))",
    "one_dimension_more": "np.maximum(x, 0)[None]",
    "ragged_list": "[[1.0], [1.0, 2.0]]",
    "huge_array_of_the_right_start": "np.resize(np.maximum(x, 0), 10**6)",
    "lying_length": "type('L', (list,), {'__len__': lambda self: 10**12, '__iter__': lambda self: iter(int, 1)})()",
    "lying_dtype": "type('A', (), {'__array__': lambda self, *a, **k: 1 / 0, 'dtype': float, 'shape': x.shape})()",
}

for name, expression in RETURNED.items():
    values(
        name,
        f"Returns `{expression}`.",
        answers={
            "relu": f"def relu(x):\n    return {expression}\n\n\ndef relu_grad(x):\n    return {expression}"
        },
    )

values(
    "very_large_integer_everywhere",
    "Returns an integer too large for the boundary from every function.",
    answers=every("return 10**1000"),
    earns={},
    others=0,
)

values(
    "arguments_spoilt",
    "Changes its arguments to what is no plain data, and returns the right thing.",
    answers={
        "relu": """
        def relu(x):
            result = np.maximum(x, 0)
            x[...] = np.nan
            return result

        def relu_grad(x):
            result = np.where(x > 0, 1.0, 0.0)
            x.resize(0, refcheck=False)
            return result
        """
    },
    earns={"relu": None},
)
