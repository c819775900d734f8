"""Amazon's Selling Partner API: what it is asked, and what its answers say. Read only; never a buyer's data.

The client speaks through python-amazon-sp-api and turns whatever goes wrong into one `AmazonError`. It stores nothing, waits
for nothing and repeats nothing but a call whose token had expired: when to call again is a stored instant of the jobs.
"""
