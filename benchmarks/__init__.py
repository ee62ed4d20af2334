"""Side by side with the peers, both sides in turn in one run; what is claimed is the ratio.

python -m benchmarks             all of them
python -m benchmarks.feeding     one
"""
