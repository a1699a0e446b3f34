// Owner of the precompiled test headers: a target with no source of its own precompiles nothing.
