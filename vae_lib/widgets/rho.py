"""A slider for rho that walks textbook maps into infinity and NaN, with guarded maps
beside them. Notebook 02.
"""

import ipywidgets
import numpy as np

from vae_lib.experiments.textbook_maps import kl_and_slope
from vae_lib.figures import new_figure, to_png
from vae_lib.widgets.shared.control import Control

GRID = np.arange(-110.0, 110.5, 0.5, dtype="float32")
STATES = ("finite", "infinite", "NaN")
COLOURS = ("#cfe3f5", "#f2a33a", "#b3122b")  # of the states, of different lightness
CELL = (
    "padding: 3px 8px; text-align: right; font-variant-numeric: tabular-nums; "
    "font-size: 14px;"
)


def states(kl, slope):
    """Return 0, 1 or 2 for each entry: both finite, one of them infinite, one of them
    NaN.
    """
    return np.where(
        np.isnan(kl) | np.isnan(slope),
        2,
        np.where(np.isinf(kl) | np.isinf(slope), 1, 0),
    )


def states_figure(columns):
    """Return a figure of where KL and its slope are finite; `columns` maps titles to
    mappings name -> map.
    """
    figure, axes = new_figure(1, len(columns), (8, 2.4), sharey=True)
    for ax, (title, maps) in zip(axes, columns.items(), strict=True):
        rows = np.array(
            [states(*kl_and_slope(posterior, GRID)[1:]) for posterior in maps.values()]
        )
        for row, line in enumerate(rows):
            for state, colour in enumerate(COLOURS):
                ax.fill_between(
                    GRID,
                    row - 0.35,
                    row + 0.35,
                    where=line == state,
                    step="mid",
                    color=colour,
                    label=STATES[state] if row == 0 else None,
                )
            nans = GRID[line == 2]
            ax.plot(
                nans,
                np.full(len(nans), row),
                "x",
                color="black",
                markersize=6,
                markevery=9,
            )
        ax.set(title=title, xlabel="ρ", yticks=range(len(maps)), yticklabels=maps)
    axes[0].invert_yaxis()
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3
    )
    return figure


class RhoWalk(Control):
    """A slider for ρ over the table of sigma, KL and its slope in float32.

    `columns` maps two titles to mappings name -> map of the same names; `slider` and
    `table` are widgets.
    """

    def __init__(self, columns, rho=-30.0):
        self.columns = columns
        self.values = [
            [kl_and_slope(posterior, GRID) for posterior in maps.values()]
            for maps in columns.values()
        ]
        self.slider = ipywidgets.FloatSlider(
            rho,
            min=-110,
            max=110,
            step=0.5,
            description="ρ",
            readout_format=".1f",
            layout={"width": "95%"},
        )
        self.table = ipywidgets.HTML()
        self.slider.observe(self.update, "value")
        self.description = (
            "A slider for ρ and a table of σ, KL and its slope. The picture has a bar "
            "for each map, coloured where KL and slope are finite, infinite or NaN for "
            f"ρ from −{GRID[-1]:g} to {GRID[-1]:g}. Not finite: {self.spoiled()}."
        )
        super().__init__(self.slider, self.table)
        self.update()

    def update(self, _=None):
        """Write the table for the slider's rho; its numbers were computed
        beforehand.
        """
        place = int(np.argmin(np.abs(GRID - self.slider.value)))
        titles = "".join(
            f'<th colspan="3" style="text-align: center">{title}</th>'
            for title in self.columns
        )
        heads = "".join(
            f'<th style="{CELL}">{head}</th>' for head in 2 * ("σ", "KL", "dKL/dρ")
        )
        rows = [f"<tr><td></td>{titles}</tr><tr><td></td>{heads}</tr>"]
        for row, name in enumerate(next(iter(self.columns.values()))):
            cells = "".join(
                cell(array[place]) for column in self.values for array in column[row]
            )
            head = f'<th style="text-align: left; font-size: 14px">{name}</th>'
            rows.append(f"<tr>{head}{cells}</tr>")
        self.table.value = (
            '<div style="overflow-x: auto"><table style="table-layout: fixed; '
            'width: 100%; min-width: 580px"><col style="width: 20%">'
            f"{''.join(rows)}</table></div>"
        )

    def spoiled(self):
        """Return in words on how much of the grid each map is not finite."""
        names = next(iter(self.columns.values()))
        columns = zip(self.columns, self.values, strict=True)
        return "; ".join(
            f"{name}, {title}: {np.mean(states(kl, slope) > 0):.1%}"
            for title, column in columns
            for name, (_, kl, slope) in zip(names, column, strict=True)
        )

    def picture(self):
        """Return PNG bytes of where the maps are finite."""
        return to_png(states_figure(self.columns))


def cell(value):
    """Return a cell of the table; infinity and NaN stand out by word and colour."""
    text, looks = f"{value:.3g}".replace("-", "−"), CELL
    if np.isnan(value):
        text = "NaN"
        looks += f" background: {COLOURS[2]}; color: white; font-weight: bold"
    elif np.isinf(value):
        text = "−∞" if value < 0 else "∞"
        looks += f" background: {COLOURS[1]}; color: black; font-weight: bold"
    return f'<td style="{looks}">{text}</td>'
