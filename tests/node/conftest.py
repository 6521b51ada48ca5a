# SPDX-License-Identifier: Apache-2.0
from network_fixtures import ahead, network, no_waiting_for_the_disk, settled, settled_ahead

__all__ = ["ahead", "network", "no_waiting_for_the_disk", "settled", "settled_ahead"]
