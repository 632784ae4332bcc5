"""FLOPs of a graph convolution model, which MMAction2's get_flops cannot count."""

from msg3d.apis.flops import main

if __name__ == "__main__":
    main()
