# SPDX-License-Identifier: MIT
"""symgate and nginx side by side: what bench/run is made of."""
