from msg3d.apis.flops import main

if __name__ == "__main__":
    main()
