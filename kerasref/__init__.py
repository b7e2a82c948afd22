"""References: every function of the course, on Keras, in float64. One module an assignment.

Importing this package costs nothing; importing one of its modules imports Keras (see `kerasref.backend`).
"""
