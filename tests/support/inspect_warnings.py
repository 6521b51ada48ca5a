# SPDX-License-Identifier: Apache-2.0
"""What Inspect itself warns of, which is no fault of ours."""

import contextlib
import gc
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def inspects_own_warnings() -> Iterator[None]:
    """Pass over what Inspect 0.3.285 itself warns of; all other warnings stay errors."""
    with warnings.catch_warnings():
        # It calls tenacity by an old name, and leaves streams of anyio to the garbage collector.
        warnings.filterwarnings("ignore", "The 'initial' parameter", DeprecationWarning)
        warnings.filterwarnings("ignore", "Unclosed <MemoryObject", ResourceWarning)
        yield
        gc.collect()
