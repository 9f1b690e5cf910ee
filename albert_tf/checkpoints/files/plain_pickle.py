"""Reads pickles of plain data without the power of `pickle`: nothing is imported or executed.

A pickle is a program for a stack machine, and Python's machine can call anything. This one knows
the instructions that build dicts, lists, tuples, text and numbers, and calls the functions that it
was given, no others.
"""

import pickletools

from albert_tf.messages import brief

# A state dict takes some 40 instructions a tensor.
_MOST_STEPS = 300_000
# Instructions that push their argument.
_PUSH = frozenset(
    "BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINSTRING "
    "SHORT_BINSTRING".split()
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_IGNORED = frozenset(["PROTO", "FRAME"])


class Name:
    """What a pickle names, such as "torch FloatStorage": the name, never the thing."""

    def __init__(self, name):
        self.name = name


def read_plain_pickle(file, names, functions, persistent=None):
    """Builds the object of one pickle.

    Args:
      file: io.BytesIO; stands after the pickle then. (Of a real file, an instruction could ask for
        more memory than there is.)
      names: Names that the pickle may mention, as "module name"; they become `Name`.
      functions: {"module name": function} for names that the pickle may call.
      persistent: Function from the argument of a persistent id to an object.

    Returns:
      A dict, list, tuple, str, number, None, or what a function returned.

    Raises:
      ValueError: The pickle is damaged, or wants anything else.
    """
    machine = _Machine(names, functions, persistent)
    try:
        for opcode, argument, _ in pickletools.genops(file):
            if opcode.name == "STOP":
                (result,) = machine.stack
                return result
            machine.step(opcode.name, argument)
    except _Refused as refusal:
        raise ValueError(str(refusal)) from None
    except Exception as error:  # Whatever a nonsensical program makes the machine stumble over.
        what = str(error)[:200]
        raise ValueError(f"it cannot be read ({type(error).__name__}: {what})") from None
    raise ValueError("it has no end")


class _Refused(Exception):
    pass


class _Machine:
    def __init__(self, names, functions, persistent):
        self.names, self.functions, self.persistent = names, functions, persistent
        self.stack, self.marks, self.memo = [], [], {}
        self.steps = 0

    def step(self, opcode, argument):
        """Executes one instruction; `argument` is what `pickletools` read for it."""
        self.count(1)
        stack = self.stack
        if opcode in _PUSH:
            stack.append(argument)
        elif opcode in _CONSTANTS:
            stack.append(_CONSTANTS[opcode])
        elif opcode in _EMPTY:
            stack.append(_EMPTY[opcode]())
        elif opcode in _TUPLES:
            stack.append(tuple(self.pop(_TUPLES[opcode])))
        elif opcode in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = stack[-1]
        elif opcode == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif opcode in ("BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif opcode == "MARK":
            self.marks.append(len(stack))
        elif opcode == "TUPLE":
            stack.append(tuple(self.pop_to_mark()))
        elif opcode == "APPEND":
            (value,) = self.pop(1)
            self.top(list).append(value)
        elif opcode == "APPENDS":
            values = self.pop_to_mark()
            self.top(list).extend(values)
        elif opcode == "SETITEM":
            self.set_items(self.pop(2))
        elif opcode == "SETITEMS":
            self.set_items(self.pop_to_mark())
        elif opcode == "GLOBAL":
            stack.append(self.named(argument))
        elif opcode == "STACK_GLOBAL":
            stack.append(self.named(" ".join(self.pop(2))))
        elif opcode == "BINPERSID" and self.persistent:
            stack.append(self.persistent(*self.pop(1)))
        elif opcode == "REDUCE":
            function, arguments = self.pop(2)
            if not isinstance(function, Name) or function.name not in self.functions:
                raise _Refused(f"it calls {getattr(function, 'name', type(function).__name__)!r}")
            if not isinstance(arguments, tuple):
                raise _Refused(f"it calls {function.name!r} with no tuple of arguments")
            # A large argument, made once, could be handed over again and again.
            containers = [a for a in arguments if isinstance(a, (tuple, list, dict))]
            self.count(len(arguments) + sum(map(len, containers)))
            stack.append(self.functions[function.name](*arguments))
        elif opcode == "BUILD":
            # The attributes of an OrderedDict, such as a state dict's `_metadata`: not needed.
            self.pop(1)
            self.top(dict)
        elif opcode not in _IGNORED:
            raise _Refused(f"it uses the instruction {opcode}")

    def count(self, steps):
        self.steps += steps
        if self.steps > _MOST_STEPS:
            raise _Refused(f"it takes more than {_MOST_STEPS} steps")

    def pop(self, count):
        start = len(self.stack) - count
        if start < (self.marks[-1] if self.marks else 0):
            raise IndexError("the stack is empty")
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def pop_to_mark(self):
        return self.pop(len(self.stack) - self.marks.pop())

    def set_items(self, values):
        keys = values[::2]
        # Python would crash over the hash of a tuple in a tuple in a tuple, a million times.
        if not all(isinstance(key, (str, int)) for key in keys):
            raise _Refused("it has keys that are neither text nor numbers")
        self.top(dict).update(zip(keys, values[1::2], strict=True))

    def top(self, kind):
        if not isinstance(self.stack[-1], kind):
            raise TypeError(f"a {kind.__name__} is needed, not a {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    def named(self, name):
        if name not in self.names and name not in self.functions:
            raise _Refused(f"it names {brief(name)}")
        return Name(name)
