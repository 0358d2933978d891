"""What belongs to individual notebooks; imports everything but `widgets`.

questions   questions to answer before the next cells run
exercises   exercises that name the probable mistake, one module for each notebook
remarks     sentences on what was measured, whatever came out
results     what benchmarks/ measured and stored in data/
sizes       full sizes for readers, small ones for the tests
showing     what the figures of several notebooks share
tables      values in, tables out
figures_01  the figures of notebook 01: gaps of the bound, codes and their board
figures_02  the figures of notebook 02: many runs, in which a failure is drawn as one
figures_03  the figures of notebook 03: regimes, collapse, rate against distortion
figures_04  the figures of notebook 04: grids, heat maps, paths across the plane
figures_05  the figures of notebook 05: any data, labels
figures_06  the figures of notebook 06: islands, bits, gradients
"""
