# SPDX-License-Identifier: Apache-2.0
from network_fixtures import network, no_waiting_for_the_disk, settled

__all__ = ["network", "no_waiting_for_the_disk", "settled"]
