"""The main comparison as an SVG: bars of the CPU time of a message. Readable on light and dark pages."""

from __future__ import annotations

from dataclasses import dataclass

_LEFT = 150
_RIGHT = 90
_WIDTH = 720
_BAR = 18
_GAP = 3
_TOP = 64

_STYLE = """\
text { font: 14px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 16px }
.note { fill: #57606a; font-size: 12px }
.warm { fill: #0969da }
.cold { fill: #8ab8f0 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .note { fill: #9da7b3 }
  .warm { fill: #58a6ff }
  .cold { fill: #2f5f9e }
}"""


@dataclass(frozen=True)
class Bar:
    name: str
    note: str  # what it does
    warm_us: float
    cold_us: float | None


def svg(title: str, bars: list[Bar]) -> str:
    longest = max(max(bar.warm_us, bar.cold_us or 0) for bar in bars)
    scale = (_WIDTH - _LEFT - _RIGHT) / longest
    row = 2 * (_BAR + _GAP) + 14
    height = _TOP + row * len(bars) + 8
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{title}">',
        f"<style>\n{_STYLE}\n</style>",
        f'<text class="title" x="8" y="22">{title}</text>',
        f'<rect class="warm" x="{_LEFT}" y="36" width="12" height="12"/>',
        f'<text class="note" x="{_LEFT + 18}" y="46">senders met before</text>',
        f'<rect class="cold" x="{_LEFT + 170}" y="36" width="12" height="12"/>',
        f'<text class="note" x="{_LEFT + 188}" y="46">caches empty</text>',
    ]
    for number, bar in enumerate(bars):
        top = _TOP + number * row
        lines.append(f'<text x="{_LEFT - 8}" y="{top + 14}" text-anchor="end">{bar.name}</text>')
        lines.append(f'<text class="note" x="{_LEFT - 8}" y="{top + 32}" text-anchor="end">{bar.note}</text>')
        for place, (kind, cost) in enumerate((("warm", bar.warm_us), ("cold", bar.cold_us))):
            if cost is None:
                continue
            y = top + place * (_BAR + _GAP)
            lines.append(f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{cost * scale:.1f}" height="{_BAR}"/>')
            lines.append(f'<text class="note" x="{_LEFT + cost * scale + 6:.1f}" y="{y + 13}">{cost:,.0f} us</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"
