from tests.kerasref.oracles import ASSIGNMENTS, record

for assignment in ASSIGNMENTS:
    record(assignment)
